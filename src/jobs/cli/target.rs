//! Which brokers a command is about.

use std::path::PathBuf;

use clap::Args;

use super::folder;
use crate::agent::exit::{Exit, Failure};
use crate::jobs::environment::Environment;
use crate::jobs::kafka::{Access, Brokers};
use crate::jobs::project::Project;
use crate::sink::kafka::check_servers;

/// Which brokers.
#[derive(Debug, Clone, Args)]
pub struct TargetArgs {
    /// Environment of environments.yaml: its brokers, with its protocol and credentials
    #[arg(long, value_name = "NAME", required_unless_present = "bootstrap_servers")]
    pub env: Option<String>,
    /// Brokers without encryption and password instead
    #[arg(long, value_name = "HOST:PORT,…", conflicts_with = "env")]
    pub bootstrap_servers: Option<String>,
    /// Folder with environments.yaml and rules/
    #[arg(long, value_name = "DIR", default_value = "jobs")]
    pub jobs: PathBuf,
}

/// Brokers, and the environment they were named by.
pub(super) struct Target {
    pub(super) brokers: Brokers,
    side: Option<(Project, String)>,
}

impl TargetArgs {
    /// Connects.
    ///
    /// # Errors
    /// There is no such environment, or its brokers cannot be reached.
    pub(super) fn connect(&self) -> Result<Target, Failure> {
        match (&self.env, &self.bootstrap_servers) {
            (Some(name), _) => {
                let project = Project::read(&self.jobs).0;
                let access = Access::of(folder::environment(&project, name)?)?;
                Ok(Target { brokers: Brokers::connect(access)?, side: Some((project, name.clone())) })
            }
            (None, servers) => {
                let servers = servers.as_deref().unwrap_or_default();
                check_servers(servers).map_err(|complaint| {
                    Failure::new(Exit::Usage, format!("--bootstrap-servers, {complaint}"))
                })?;
                let access = Access::plaintext(servers);
                Ok(Target { brokers: Brokers::connect(access)?, side: None })
            }
        }
    }
}

impl Target {
    /// Refuses what is not for a command to change: Kafka's own topics, and those of another environment.
    ///
    /// # Errors
    /// It is such a topic.
    pub(super) fn guard(&self, topic: &str) -> Result<(), Failure> {
        match &self.side {
            Some((project, name)) => folder::guard(project, folder::environment(project, name)?, topic),
            None => folder::guard_internal(topic),
        }
    }

    /// The environment, when the brokers were named by one.
    pub(super) fn environment(&self) -> Option<&Environment> {
        let (project, name) = self.side.as_ref()?;
        folder::environment(project, name).ok()
    }
}
