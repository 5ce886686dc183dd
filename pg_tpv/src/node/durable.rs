//! Small files of the data directory, where every process of the server works.

use std::fs::{self, File};
use std::io::{self, Write};

/// Writes a line into such a file. It is written beside the old one, synced and renamed over it:
/// after a crash there is one or the other.
pub fn write(name: &str, line: &str) -> io::Result<()> {
    let draft = format!("{name}.new");
    let mut file = File::create(&draft)?;
    writeln!(file, "{line}")?;
    file.sync_all()?;
    fs::rename(draft, name)?;
    File::open(".")?.sync_all()
}

/// What is in it. None for one that is not there, or that we did not write.
pub fn read(name: &str) -> Option<String> {
    fs::read_to_string(name).ok().map(|text| text.trim_end().to_owned())
}
