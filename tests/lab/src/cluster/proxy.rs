//! A proxy between a client and the server's socket that can cut connections or let them hang.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::Result;

use crate::wait::until_true;

/// A listening socket that passes everything on.
#[derive(Debug)]
pub struct Proxy {
    folder: PathBuf,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    hanging: AtomicBool,
    refusing: AtomicBool,
    ended: AtomicBool,
    /// When not 0: cut every connection after so many more bytes from the server.
    cut_after: AtomicU64,
    open: Mutex<Vec<UnixStream>>,
}

impl Proxy {
    /// Listens in `folder` and passes on to `server`.
    pub fn start(folder: &Path, server: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let listener = UnixListener::bind(folder.join(".s.PGSQL.5432"))?;
        let (state, server) = (Arc::new(State::default()), server.to_path_buf());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.ended.load(Ordering::Relaxed) {
                    return;
                }
                if !shared.refusing.load(Ordering::Relaxed) {
                    let _ = pass(&shared, client, &server);
                }
            }
        });
        Ok(Self { folder: folder.to_path_buf(), state })
    }

    /// How a client reaches the server through it.
    pub fn url(&self, role: &str) -> String {
        format!("postgresql://{role}@/tpv?host={}", self.folder.display())
    }

    /// Cuts what is open.
    pub fn cut(&self) {
        if let Ok(mut open) = self.state.open.lock() {
            open.drain(..).for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
        }
    }

    /// Cuts everything once the server has sent so many more bytes: the answer is lost, the work
    /// was done.
    pub fn cut_after(&self, bytes: u64) {
        self.state.cut_after.store(bytes, Ordering::SeqCst);
    }

    /// Lets connections hang, or go on.
    pub fn hang(&self, yes: bool) {
        self.state.hanging.store(yes, Ordering::SeqCst);
    }

    /// Turns new connections away, or takes them again.
    pub fn refuse(&self, yes: bool) {
        self.state.refusing.store(yes, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        self.hang(false);
        self.cut();
        // Wakes the listener, so that its thread sees that it is over.
        let _ = UnixStream::connect(self.folder.join(".s.PGSQL.5432"));
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn pass(state: &Arc<State>, client: UnixStream, server: &Path) -> Result<()> {
    let server = UnixStream::connect(server)?;
    if let Ok(mut open) = state.open.lock() {
        open.extend([client.try_clone()?, server.try_clone()?]);
    }
    for (from, to, answers) in [(client.try_clone()?, server.try_clone()?, false), (server, client, true)] {
        let state = Arc::clone(state);
        thread::spawn(move || pump(&state, from, to, answers));
    }
    Ok(())
}

fn pump(state: &State, mut from: UnixStream, mut to: UnixStream, answers: bool) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let _ = until_true("the proxy goes on", Duration::from_secs(120), || !state.hanging.load(Ordering::Relaxed));
        if answers && spent(&state.cut_after, count as u64) {
            break;
        }
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// Takes `count` from the allowance; true when that used it up.
fn spent(allowance: &AtomicU64, count: u64) -> bool {
    let before = allowance.load(Ordering::SeqCst);
    if before == 0 {
        return false;
    }
    allowance.store(before.saturating_sub(count), Ordering::SeqCst);
    before <= count
}
