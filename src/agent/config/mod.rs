//! `config`: show, check and make configuration files.

pub mod check;
mod debezium;
mod init;
mod new_file;
mod properties;
mod show;

use super::doctor::finding;
use super::exit::{Exit, Failure};
use super::{log, output};
use crate::cli::{ConfigArgs, ConfigCommand};

/// Runs `config`.
///
/// # Errors
/// A file cannot be read or written, or is not what it should be.
pub fn config(args: &ConfigArgs) -> Result<Exit, Failure> {
    match &args.command {
        ConfigCommand::Show(args) => {
            show::show(&args.settings, args.json, &mut output::stdout()?).map_err(Failure::stdout)?;
            Ok(Exit::Ok)
        }
        ConfigCommand::Check(args) => {
            let findings = check::findings(&args.options, &args.out);
            finding::print(&findings, args.json, &mut output::stdout()?).map_err(Failure::stdout)?;
            match finding::outcome(&findings) {
                Exit::Ok => Ok(Exit::Ok),
                _ => Ok(Exit::Usage),
            }
        }
        ConfigCommand::Init(args) => {
            new_file::write(args.out.as_deref(), &init::file(&args.cassandra_yaml)?)?;
            Ok(Exit::Ok)
        }
        ConfigCommand::ImportDebezium(args) => {
            let imported = debezium::import(&properties::read(&args.file)?);
            for note in &imported.notes {
                log::warn(note);
            }
            new_file::write(args.out.as_deref(), &imported.text)?;
            Ok(Exit::Ok)
        }
    }
}
