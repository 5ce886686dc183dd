//! `tpv.hash_chain_called`: which hash chain a peer means.

use pgrx::prelude::*;
use tpv_core::hash_chain::NamedBy;

/// The hash chain that `node_id` calls so.
#[pg_extern(immutable, strict, parallel_safe)]
pub fn hash_chain_called(
    name: &str,
    node_id: i32,
) -> TableIterator<'static, (name!(writer_id, i32), name!(chain, String))> {
    let chain = NamedBy::parse(name, node_id);
    TableIterator::once((chain.writer, chain.name.to_owned()))
}

extension_sql!(
    r#"
comment on function hash_chain_called(text, integer) is
    'The hash chain that a node calls so in heartbeats and requests, by its writer and its name there: 1>2 is chain >2 of '
    'node 1, which central passes on; any other name is one of its own.';
"#,
    name = "hash_chain_comments",
    requires = [hash_chain_called]
);
