//! What a session of this node may write into the wire tables.

use pgrx::prelude::*;
use tpv_core::hash_chain::ChainName;

use crate::node::this_node;
use crate::postgres::Refusal;
use crate::wire::Document;

/// A session of this node writes documents of this node, with the right hash.
pub(super) fn check_local(document: &Document) -> Result<(), Refusal> {
    if this_node() != Some(document.node_id) {
        return Err(foreign());
    }
    if document.chain_seq < 1 {
        let message = "the place of the document in its hash chain is below 1";
        return Err(Refusal::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message)
            .hint("A hash chain begins at place 1."));
    }
    document.check_hash().map_err(|_| {
        Refusal::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, "the content hash of the document is wrong")
            .detail("Its content_hash is not the SHA-256 of its body.")
    })
}

/// Documents that are addressed to a node have a hash chain of their own there: without the others
/// between them, a hole shows that one is missing.
pub(super) fn check_addressee(document: &Document, addressee: Option<i32>) -> Result<(), Refusal> {
    if is_in_chain_of(document, addressee) {
        return Ok(());
    }
    let message = "the document is in a hash chain of another addressee";
    Err(Refusal::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message)
        .hint("Documents with to_node 2 are in hash chain '>2', and others are not."))
}

pub(super) fn is_in_chain_of(document: &Document, addressee: Option<i32>) -> bool {
    ChainName::parse(&document.chain).and_then(|name| name.addressee()) == addressee
}

pub(super) fn foreign() -> Refusal {
    let code = PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE;
    Refusal::new(code, "a row of another node can only arrive by replication")
}
