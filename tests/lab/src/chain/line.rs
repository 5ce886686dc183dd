//! The line between a store and central, which can be cut or hang: the connections of each
//! direction go through a proxy.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use anyhow::Result;

use crate::cluster::{Cluster, Proxy};
use crate::machine::Lab;

/// Both directions of one store's line.
#[derive(Debug)]
pub struct Line {
    /// Central fetches from the store, and the store from central.
    ways: [Way; 2],
}

/// One direction.
#[derive(Debug)]
pub struct Way {
    proxy: Proxy,
    conninfo: String,
}

impl Line {
    /// Lays the line of a store.
    pub fn lay(lab: &Lab, store: &Cluster, central: &Cluster) -> Result<Self> {
        let way = |end: &str, server: &Cluster| Way::open(lab, &format!("{}-{end}", store.node), server);
        Ok(Self { ways: [way("up", store)?, way("down", central)?] })
    }

    /// How central reaches the store, and how the store reaches central.
    pub fn conninfos(&self) -> [&str; 2] {
        self.ways.each_ref().map(|way| way.conninfo.as_str())
    }

    /// One of its two directions: 0 leads to the store.
    pub fn way(&self, index: usize) -> &Way {
        &self.ways[index]
    }

    /// Ends every connection and lets no new one through, in neither direction.
    pub fn cut(&self) {
        self.ways.iter().for_each(Way::cut);
    }

    /// Lets them through again. The servers try by themselves.
    pub fn mend(&self) {
        self.ways.iter().for_each(Way::mend);
    }
}

impl Way {
    fn open(lab: &Lab, name: &str, server: &Cluster) -> Result<Self> {
        let folder = lab.sockets.join(name);
        // Left by a demo that was killed.
        let _ = fs::remove_dir_all(&folder);
        lab.private_folder(&folder)?;
        let proxy = Proxy::start(&folder, &server.socket())?;
        // The servers may run as another user; the folder around the socket is closed to others.
        fs::set_permissions(folder.join(".s.PGSQL.5432"), Permissions::from_mode(0o777))?;
        Ok(Self { proxy, conninfo: format!("host={} dbname=tpv", folder.display()) })
    }

    /// Ends every connection and lets no new one through.
    pub fn cut(&self) {
        self.proxy.refuse(true);
        self.proxy.cut();
    }

    /// Lets them through again.
    pub fn mend(&self) {
        self.proxy.refuse(false);
    }

    /// Lets connections stay open while nothing passes, or go on.
    pub fn hang(&self, yes: bool) {
        self.proxy.hang(yes);
    }
}
