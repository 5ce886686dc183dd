//! Nothing is left running, however the program ends.
//!
//! A small shell holds the read end of a pipe. Its end comes when the program is gone, by Ctrl-C,
//! by `kill -9` or with the terminal, and then everything that was registered is stopped. The
//! kernel's own `PR_SET_PDEATHSIG` would not do: it fires when the *thread* that started the child
//! ends, and it is lost when the child changes its user.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock};

use super::process::Process;

const SHELL: &str = r#"
trap '' INT TERM HUP QUIT
while read -r line; do list="$list $line"; done
for one in $list; do
  IFS=: read -r signal pid birth <<END
$one
END
  read -r stat <"/proc/${pid#-}/stat" || continue
  set -- ${stat##*) }
  [ "${20}" = "$birth" ] && kill -s "$signal" -- "$pid"
done
"#;

static PIPE: OnceLock<Option<Mutex<ChildStdin>>> = OnceLock::new();

/// A server that is asked to stop at once: its data is thrown away, or recovers.
pub fn server(process: Process) {
    register(&format!("QUIT:{}:{}", process.pid, process.birth));
}

/// A process group that is killed.
pub fn group(process: Process) {
    register(&format!("KILL:-{}:{}", process.pid, process.birth));
}

fn register(line: &str) {
    let pipe = PIPE.get_or_init(|| {
        // Its own group, so that Ctrl-C on the terminal does not reach it.
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", SHELL]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        Some(Mutex::new(shell.spawn().ok()?.stdin?))
    });
    if let Some(pipe) = pipe
        && let Ok(mut pipe) = pipe.lock()
    {
        let _ = writeln!(pipe, "{line}");
    }
}
