//! The examples below each help text.

pub(super) const TOP: &str = "\
Exit codes:
  0 ok   1 bug   2 usage or configuration   3 damaged input   4 unreadable input
  5 unknown schema   6 destination   7 fenced or locked";

pub(super) const COMPLETIONS: &str = "\
Examples:
  cdc-agent completions bash > /etc/bash_completion.d/cdc-agent
  cdc-agent completions zsh > ~/.zfunc/_cdc-agent";

pub(super) const MAN: &str = "\
Examples:
  cdc-agent man | man -l -
  cdc-agent man --dir /usr/local/share/man/man1";
