//! Agents at awkward moments, and before what nobody can read.

use super::*;

/// While an agent waits for the one before it to end, as at a restart: a reload that ended it would count as a clean end,
/// after which systemd starts nothing.
#[test]
fn a_reload_does_not_end_an_agent_that_starts() {
    let place = Place::new();
    let before = place.run();
    let log = place.path("agent.log");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cdc-agent"));
    command.arg("run").args(place.options()).arg("--schema").arg(place.path("schema.json"));
    command.args(["--http=false", "--finished-segments", "keep"]);
    let next = Running(command.stderr(fs::File::create(&log).unwrap()).spawn().unwrap());
    let wait_for = |word: &str| {
        let until = Instant::now() + Duration::from_secs(60);
        while !fs::read_to_string(&log).unwrap().contains(word) {
            assert!(Instant::now() < until, "{word}: {}", fs::read_to_string(&log).unwrap());
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    wait_for("it is tried for 10 s");
    let pid = next.0.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    before.stop();
    wait_for("the options are read anew");
    next.stop();
}
