//! Files and folder entries that survive a power cut, and what follows when the disk does not
//! promise that.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use prometheus::IntCounter;

use crate::failure::fault::Fault;

/// Failed fsyncs in a row, over the whole process. The third ends it.
#[derive(Debug)]
pub struct Strikes {
    in_a_row: AtomicU32,
    counter: IntCounter,
}

impl Strikes {
    pub const fn new(counter: IntCounter) -> Self {
        Self { in_a_row: AtomicU32::new(0), counter }
    }

    /// Syncs a folder. A folder cannot be written anew, so a failure is a fault of the disk.
    pub fn sync_folder(&self, folder: &Path) -> Result<(), Fault> {
        match sync_folder(folder) {
            Ok(()) => {
                self.succeeded();
                Ok(())
            }
            // A folder that is gone is not a failed fsync.
            Err(source) if source.kind() != io::ErrorKind::NotFound && self.failed() => {
                Err(Fault::Fsync { path: folder.to_path_buf(), source })
            }
            Err(source) => Err(Fault::Disk { what: "sync", path: folder.to_path_buf(), source }),
        }
    }

    /// Counts one more. True: that was the third.
    fn failed(&self) -> bool {
        self.counter.inc();
        self.in_a_row.fetch_add(1, Ordering::Relaxed) + 1 >= 3
    }

    fn succeeded(&self) {
        self.in_a_row.store(0, Ordering::Relaxed);
    }
}

/// Creates or replaces a file. After a failed fsync the kernel may take the lost pages for clean,
/// and a second fsync of the same file would succeed without having written them. So the file is
/// removed and written anew as another one.
pub fn write_synced(path: &Path, bytes: &[u8], strikes: &Strikes) -> Result<(), Fault> {
    loop {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o640)
            .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
            .open(path)
            .map_err(Fault::disk("create", path))?;
        file.write_all(bytes).map_err(Fault::disk("write", path))?;
        let Err(source) = file.sync_all() else {
            strikes.succeeded();
            return Ok(());
        };
        drop(file);
        fs::remove_file(path).map_err(Fault::disk("remove", path))?;
        // Some file systems allocate space only when they write back, so a full disk shows here.
        // That is no strike.
        if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            return Err(Fault::disk("write", path)(source));
        }
        if strikes.failed() {
            return Err(Fault::Fsync { path: path.to_path_buf(), source });
        }
        tracing::warn!(path = %path.display(), error = %source, "fsync failed, writing the file anew");
    }
}

/// Makes the names in a folder survive a power cut.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
