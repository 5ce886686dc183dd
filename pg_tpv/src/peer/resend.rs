//! What one node sends to one other, through `wire.resend`.
//!
//! | kind | body | what the receiver does |
//! | --- | --- | --- |
//! | `snapshot` | the heads of some entities, and which operations they cover | merges them with its own (`snapshot`) |
//! | `snapshot_end` | how many parts of `snapshot` there were, and their digest | completes the snapshot, once all parts are here |
//! | `operations` | rows of `wire.op` | receives each as if it came by itself |
//! | `documents` | rows of `wire.doc` | receives each as if it came by itself |
//! | `request` | what the sender lacks | notes it for its background worker |
//! | `own` | what the sender has of the receiver's own rows | looks whether it has forgotten some (`own`) |
//! | `own_documents` | documents of the receiver | takes back what it has forgotten |

use super::snapshot;
use crate::postgres::{DataFault, sql};
use crate::wire::{ResendRow, taking_back};

/// Each row goes through the trigger of its table, which asks who sent it and drops repeats.
const OPERATIONS: &str = r"
    insert into wire.op (node_id, seq, hlc, table_name, key, patch, base)
    select (o ->> 0)::integer, (o ->> 1)::bigint, (o ->> 2)::bigint, o ->> 3, o ->> 4, o ->> 5, o ->> 6
    from json_array_elements($1::json -> 'operations') with ordinality as l (o, n) order by n";
const DOCUMENTS: &str = r"
    insert into wire.doc (node_id, doc_id, business_date, kind, to_node, hlc, schema_version, chain, chain_seq,
      prev_hash, body, content_hash)
    select d.node_id, d.doc_id, d.business_date, d.kind, d.to_node, d.hlc, d.schema_version, d.chain, d.chain_seq,
      d.prev_hash, d.body, d.content_hash
    from rows from (json_to_recordset($1::json -> 'documents') as (
        node_id integer, doc_id uuid, business_date date, kind text, to_node integer, hlc bigint, schema_version integer,
        chain text, chain_seq bigint, prev_hash bytea, body text, content_hash bytea))
      with ordinality as d (
        node_id, doc_id, business_date, kind, to_node, hlc, schema_version,
        chain, chain_seq, prev_hash, body, content_hash, n)
    order by d.n";
const OWN: &str = "select sync.receive_own($1, $2::jsonb)";
const OWN_DOCUMENTS: &str = "select sync.receive_own_documents($1::json -> 'documents')";
const REQUEST: &str = "select sync.receive_request($1, $2::json -> 'wants')";

/// Receives what a peer sent to this node. `is_centrals`: the peer is central.
///
/// # Errors
/// A kind that this version does not know, or a body that is not one of its kind.
pub fn receive(row: &ResendRow, is_centrals: bool) -> Result<(), DataFault> {
    match row.kind.as_str() {
        "snapshot" => snapshot::part(row, is_centrals)?,
        "snapshot_end" => snapshot::end(row, is_centrals)?,
        "operations" => _ = sql::execute(OPERATIONS, &[row.body.as_str().into()]),
        "documents" => _ = sql::execute(DOCUMENTS, &[row.body.as_str().into()]),
        "request" => _ = sql::execute(REQUEST, &[row.node_id.into(), row.body.as_str().into()]),
        "own" => _ = sql::execute(OWN, &[row.node_id.into(), row.body.as_str().into()]),
        // Central is believed about what this node has recorded itself: it can only add to it.
        "own_documents" if is_centrals => taking_back(|| _ = sql::execute(OWN_DOCUMENTS, &[row.body.as_str().into()])),
        _ => return Err(DataFault::new("UNKNOWN_KIND", "this version of pg_tpv does not know the kind")),
    }
    Ok(())
}

const SERVE: &str = "select sync.serve_requests() > 0";

/// Sends the next part of what peers requested; false when none is left. The background worker
/// calls it.
pub fn serve_requests() -> bool {
    let ready =
        sql::row("select to_regprocedure('sync.serve_requests(integer)') is not null", &[], |row| row.must::<bool>(1));
    ready == Some(true) && sql::row(SERVE, &[], |row| row.must(1)) == Some(true)
}
