//! The line between a store and central, which can be cut: each side's connections go through a proxy.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use anyhow::Result;

use crate::cluster::Cluster;
use crate::cluster::proxy::Proxy;
use crate::machine::lab::Lab;

/// Both directions of one store's line.
#[derive(Debug)]
pub struct Line {
    to_store: End,
    to_central: End,
}

#[derive(Debug)]
struct End {
    proxy: Proxy,
    folder: PathBuf,
}

impl Line {
    /// Lays the line of a store.
    pub fn lay(lab: &Lab, store: &Cluster, central: &Cluster) -> Result<Self> {
        let to = |what: &str, server: &Cluster| End::open(lab, &format!("{}-{what}", store.node), server);
        Ok(Self { to_store: to("in", store)?, to_central: to("out", central)? })
    }

    /// How central reaches the store, and how the store reaches central.
    pub fn conninfos(&self) -> [String; 2] {
        [&self.to_store, &self.to_central]
            .map(|end| format!("host={} dbname=tpv user=tpv_replicator", end.folder.display()))
    }

    /// Ends every connection and lets no new one through, in neither direction.
    pub fn cut(&self) {
        for end in [&self.to_store, &self.to_central] {
            end.proxy.refuse(true);
            end.proxy.cut();
        }
    }

    /// Lets them through again. The servers try by themselves.
    pub fn mend(&self) {
        for end in [&self.to_store, &self.to_central] {
            end.proxy.refuse(false);
        }
    }
}

impl End {
    fn open(lab: &Lab, name: &str, server: &Cluster) -> Result<Self> {
        let folder = lab.sockets.join(name);
        // What a demo left that was killed.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder)?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        lab.owner.give(&folder)?;
        let proxy = Proxy::start(&folder, &server.socket())?;
        // The servers may run as another user; the folder around the socket is closed to others.
        fs::set_permissions(folder.join(".s.PGSQL.5432"), fs::Permissions::from_mode(0o777))?;
        Ok(Self { proxy, folder })
    }
}
