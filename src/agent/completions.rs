//! `completions` and `man` of each program: both are generated from the definition of its command line.

use std::io::{self, Write};

use clap::CommandFactory;

use super::exit::{Exit, Failure};
use super::output;
use crate::cli::{CompletionsArgs, ManArgs};

/// `completions SHELL` of the program whose command line is `C`.
///
/// # Errors
///
/// Standard output cannot be written.
pub fn completions<C: CommandFactory>(args: &CompletionsArgs) -> Result<Exit, Failure> {
    // Written to memory first: the generator panics when its writer fails.
    let mut script = Vec::new();
    let mut command = C::command();
    let name = command.get_name().to_owned();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    print(&script)
}

/// `man` of the program whose command line is `C`.
///
/// # Errors
///
/// Standard output or the directory cannot be written.
pub fn man<C: CommandFactory>(args: &ManArgs) -> Result<Exit, Failure> {
    match &args.dir {
        None => print(&page(C::command()).map_err(Failure::stdout)?),
        Some(dir) => {
            let pages = C::command().disable_help_subcommand(true);
            output::make_dir(dir)?;
            clap_mangen::generate_to(pages, dir).map_err(|error| Failure::cannot_write(dir, error))?;
            Ok(Exit::Ok)
        }
    }
}

fn print(bytes: &[u8]) -> Result<Exit, Failure> {
    output::stdout()?.write_all(bytes).map_err(Failure::stdout)?;
    Ok(Exit::Ok)
}

fn page(command: clap::Command) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    clap_mangen::Man::new(command).render(&mut bytes)?;
    Ok(bytes)
}
