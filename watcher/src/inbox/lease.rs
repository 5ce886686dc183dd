//! Does anybody have this file open for writing? The kernel knows: it refuses a read lease while
//! anyone does.
//!
//! Neither nix nor rustix wraps `F_SETLEASE`, so this file has the crate's only `unsafe`.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    Nobody,
    Somebody,
    /// A share, or a file of another user without CAP_LEASE: the kernel does not say.
    Unknown,
}

/// Takes a read lease on `file`, which must be open read-only, and gives it back at once.
///
/// Whoever opens the file for writing meanwhile waits for those few microseconds, and the kernel
/// sends us SIGIO. That would end the process, so `run.rs` handles it before the first file is
/// opened.
pub fn writer(file: &File) -> Writer {
    match set(file, libc::F_RDLCK) {
        Ok(()) => {
            // If that fails, closing the file gives it back.
            let _ = set(file, libc::F_UNLCK);
            Writer::Nobody
        }
        Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => Writer::Somebody,
        Err(_) => Writer::Unknown,
    }
}

#[allow(unsafe_code, reason = "fcntl(F_SETLEASE) has no safe wrapper")]
fn set(file: &File, lease: impl Into<libc::c_int>) -> io::Result<()> {
    // SAFETY: the descriptor is open as long as `file` is borrowed; F_SETLEASE takes an int and
    // touches no memory of ours.
    let answer = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, lease.into()) };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_open_for_writing_has_a_writer_until_it_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let held = File::create(&path).unwrap();
        let read = File::open(&path).unwrap();
        assert_eq!(writer(&read), Writer::Somebody);
        drop(held);
        assert_eq!(writer(&read), Writer::Nobody);
    }
}
