//! The gateways of the chain that stays. Each keeps its port, since others know it by it.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result};

use super::files;
use crate::cluster::Cluster;
use crate::gateway::{Gateway, Member, Staff, free_port, open as open_all};
use crate::machine::{Lab, Process};
use crate::node::{CENTRAL, Node, STORES};

/// Starts those that do not run, and makes the people who are not there yet. Answers the people,
/// and where each gateway is.
pub fn open(lab: &Lab, clusters: &[(Node, Cluster)]) -> Result<(Staff, Vec<String>)> {
    let mut members = Vec::new();
    for (node, cluster) in clusters {
        members.push(Member { node: *node, cluster, port: port(lab, *node)? });
    }
    let kept = lab.folder("clusters")?.join(CENTRAL.code).join("people.json");
    let staff = open_all(lab, &members, &kept, |node, options| {
        let file = files(lab, node)?.gateway;
        if Process::read(&file).is_none() {
            Gateway::start_detached(lab, &options)?.write(&file)?;
        }
        Ok(())
    })?;
    for member in members.iter().filter(|member| STORES.contains(&member.node)) {
        let client = staff.of(member.node, "cashier")?.log_in((Ipv4Addr::LOCALHOST, member.port).into())?;
        client.post("/v1/auth/logout", &serde_json::json!({}))?;
    }
    Ok((staff, members.iter().map(Member::url).collect()))
}

/// The port that the gateway has, or had if it is still free, or a free one.
fn port(lab: &Lab, node: Node) -> Result<u16> {
    let files = files(lab, node)?;
    let kept = fs::read_to_string(&files.port).ok().and_then(|text| text.trim().parse::<u16>().ok());
    let runs = Process::read(&files.gateway).is_some();
    if let Some(port) = kept
        && (runs || TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
    {
        return Ok(port);
    }
    let port = free_port()?;
    fs::write(&files.port, format!("{port}\n")).context("keeping the port of a gateway")?;
    Ok(port)
}
