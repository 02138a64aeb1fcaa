//! `cdc-jobs rest`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use zeroize::Zeroizing;

use super::{folder, stop};
use crate::agent::exit::{Exit, Failure};
use crate::agent::log;
use crate::jobs::kafka::{Access, Brokers, Producer};
use crate::jobs::rest::{RestError, RestOptions, RestServer};
use crate::jobs::rules::Source;

/// The variable that holds the token when no file does.
const TOKEN_VARIABLE: &str = "CDC_JOBS_REST_TOKEN";

/// How long a record may wait for the brokers before its sender is told that it was not taken.
const GIVES_UP: Duration = Duration::from_secs(30);

pub(super) const HELP: &str = "\
It takes the JSON produce form of the Kafka REST proxy, version 2; values are written as they are sent. It runs until it is
stopped. There is no TLS: let a proxy in front of it do that. On an address that is not loopback a token is needed, for /metrics
too.

Examples:
  cdc-jobs rest --env onprem
  curl -X POST -H 'Content-Type: application/vnd.kafka.json.v2+json' \\
    --data '{\"records\":[{\"value\":{\"id\":\"3\",\"value\":15}}]}' http://localhost:8082/topics/topic_onprem_sales
  cdc-jobs rest --env onprem --listen 10.10.0.9:8082 --token-file /run/secrets/rest-token

Exit codes: 0 stopped, 2 usage, 6 the brokers do not answer, or the port is taken.";

/// `cdc-jobs rest`.
#[derive(Debug, Clone, Args)]
pub struct RestArgs {
    /// Environment of environments.yaml
    #[arg(long, value_name = "NAME")]
    pub env: String,
    /// Folder with environments.yaml and rules/
    #[arg(long, value_name = "DIR", default_value = "jobs")]
    pub jobs: PathBuf,
    /// Where it listens
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8082")]
    pub listen: SocketAddr,
    /// Topic that may be written; can be given several times [default: the business topics of the environment's rules]
    #[arg(long = "topic", value_name = "TOPIC")]
    pub topics: Vec<String>,
    /// Most bytes of a request
    #[arg(long, value_name = "BYTES", default_value_t = 1_048_576)]
    pub max_bytes: usize,
    /// File whose first line is the bearer token that requests, those for /metrics too, must bring [default: CDC_JOBS_REST_TOKEN, if it is set]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Log in JSON
    #[arg(long)]
    pub log_json: bool,
}

/// Runs `cdc-jobs rest`.
///
/// # Errors
/// A topic is of another environment, there is no token where one is needed, the brokers do not answer, nothing can listen.
pub(super) fn run(args: &RestArgs) -> Result<Exit, Failure> {
    let project = folder::checked(&args.jobs)?;
    let environment = folder::environment(&project, &args.env)?;
    let mut topics = args.topics.clone();
    if topics.is_empty() {
        let of_rules = project.rules.iter().filter(|file| file.rules.runs_in(&args.env));
        topics.extend(of_rules.filter_map(|file| match &file.rules.source {
            Source::Json { topic } => Some(environment.topic(&topic.value)),
            Source::Cdc { .. } => None,
        }));
    }
    for topic in &topics {
        folder::guard(&project, environment, topic)?;
    }
    let token = token(args)?;
    if token.is_none() && !args.listen.ip().is_loopback() {
        let what = format!("{} is not loopback, and there is no token", args.listen);
        return Err(
            Failure::new(Exit::Usage, what).next(format!("give --token-file, or set {TOKEN_VARIABLE}"))
        );
    }
    let access = Access::of(environment)?;
    let (brokers, producer) = (Brokers::connect(access.clone())?, Producer::new(&access, GIVES_UP)?);
    let options = RestOptions { topics: topics.clone(), most_bytes: args.max_bytes, token };
    let server = RestServer::bind(args.listen, options, brokers, producer).map_err(refused)?;
    log::begin(args.log_json);
    log::info(&format!("http://{} takes records for {}", server.address(), topics.join(", ")));
    let stop = stop::on_signals()?;
    server.run(&stop).map_err(refused)?;
    log::info("stopped");
    Ok(Exit::Ok)
}

fn refused(error: RestError) -> Failure {
    let failure = Failure::new(Exit::Destination, error.to_string());
    match error {
        RestError::Listen(..) => failure.next("choose another --listen"),
        RestError::Start(_) => failure,
    }
}

fn token(args: &RestArgs) -> Result<Option<Arc<Zeroizing<String>>>, Failure> {
    let text = match &args.token_file {
        None => std::env::var(TOKEN_VARIABLE).ok().map(Zeroizing::new),
        Some(path) => {
            let text = std::fs::read_to_string(path).map(Zeroizing::new);
            let text = text.map_err(|error| {
                Failure::new(Exit::Usage, format!("cannot read {}", path.display())).because(error)
            })?;
            Some(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
        }
    };
    match text {
        Some(text) if text.is_empty() => Err(Failure::new(Exit::Usage, "the token is empty")),
        text => Ok(text.map(Arc::new)),
    }
}
