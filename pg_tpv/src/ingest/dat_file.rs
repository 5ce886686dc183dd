//! `.dat` files as rows: which receipt has which name, and what the watcher still has to do on the
//! disk.

use pgrx::datum::DatumWithOid;
use tpv_core::hash_chain::sha256;
use tpv_core::intake::Dat;
use uuid::Uuid;

use crate::postgres::sql;

/// The layout that a `.dat` is made with.
#[derive(Clone, Debug)]
pub struct Layout {
    pub profile_id: Uuid,
    pub version: i32,
}

/// Names are taken in their own order, whatever the order of the files. Else two batches that want
/// the same names in opposite orders would wait for each other.
const TAKE: &str = r"
    insert into dat.file (node_id, receipt_id, terminal, folder, name, trigger_name, bytes, sha256,
      profile_id, profile_version)
    select $1, f.receipt_id, $2, f.folder, f.name, f.trigger_name, f.bytes, f.sha256, $3, $4
    from unnest($5::uuid[], $6::text[], $7::text[], $8::text[], $9::bytea[], $10::bytea[]) with ordinality
      as f (receipt_id, folder, name, trigger_name, bytes, sha256, n)
    order by f.folder, lower(f.name), f.n
    on conflict do nothing returning receipt_id";

/// Stores the `.dat` files of some receipts of one terminal, and answers which receipts found their
/// name free.
pub fn take_names(node_id: i32, terminal: &str, layout: &Layout, files: &[(Uuid, &Dat)]) -> Vec<Uuid> {
    if files.is_empty() {
        return Vec::new();
    }
    let args: [DatumWithOid<'_>; 10] = [
        node_id.into(),
        terminal.into(),
        sql::uuid(layout.profile_id).into(),
        layout.version.into(),
        files.iter().map(|(id, _)| sql::uuid(*id)).collect::<Vec<_>>().into(),
        files.iter().map(|(_, dat)| dat.folder.as_str()).collect::<Vec<_>>().into(),
        files.iter().map(|(_, dat)| dat.name.as_str()).collect::<Vec<_>>().into(),
        files.iter().map(|(_, dat)| dat.trigger_name.as_deref()).collect::<Vec<_>>().into(),
        files.iter().map(|(_, dat)| dat.bytes.as_slice()).collect::<Vec<_>>().into(),
        files.iter().map(|(_, dat)| sha256(&dat.bytes).to_vec()).collect::<Vec<_>>().into(),
    ];
    sql::rows(TAKE, &args, |row| row.uuid(1))
}

const PUBLISH: &str = r"
    insert into dat.pending (node_id, receipt_id, terminal, action, folder, name, trigger_name, sha256, why)
    select node_id, receipt_id, terminal, 'publish', folder, name, trigger_name, sha256, $3
    from dat.file where node_id = $1 and receipt_id = $2";

/// Requests that the watcher publishes the `.dat` of a receipt.
pub fn request_publication(node_id: i32, receipt_id: Uuid, why: &str) {
    sql::execute(PUBLISH, &[node_id.into(), sql::uuid(receipt_id).into(), why.into()]);
}

/// A publication that was requested and is not done yet is cancelled. For a file that is published,
/// a withdrawal is requested.
const WITHDRAW: &str = r"
    with file as (
      update dat.file set withdrawn_at = clock_timestamp()
       where node_id = $1 and receipt_id = $2 and withdrawn_at is null
      returning node_id, receipt_id, terminal, folder, name, trigger_name, sha256
    ), cancelled as (
      update dat.pending p
         set done_at = clock_timestamp(), result = 'cancelled', detail = 'withdrawn before it was published'
        from file
       where p.node_id = file.node_id and p.receipt_id = file.receipt_id and p.action = 'publish' and p.done_at is null
      returning p.pending_id
    ), requested as (
      insert into dat.pending (node_id, receipt_id, terminal, action, folder, name, trigger_name, sha256, why)
      select node_id, receipt_id, terminal, 'withdraw', folder, name, trigger_name, sha256, $3 from file
       where not exists (select from cancelled)
    )
    select from file";

/// Withdraws the `.dat` of a receipt. False when it has none, or none any more.
pub fn withdraw(node_id: i32, receipt_id: Uuid, why: &str) -> bool {
    !sql::rows(WITHDRAW, &[node_id.into(), sql::uuid(receipt_id).into(), why.into()], |_| ()).is_empty()
}

const SUPERSEDE: &str = r"
    with old as (
      delete from dat.file where node_id = $1 and receipt_id = $2
      returning node_id, receipt_id, folder, name, bytes, sha256, profile_id, made_at
    )
    insert into dat.superseded (node_id, receipt_id, folder, name, bytes, sha256, profile_id, made_at)
    select node_id, receipt_id, folder, name, bytes, sha256, profile_id, made_at from old";

/// Puts the withdrawn `.dat` of a receipt aside, to make room for the next.
pub fn supersede(node_id: i32, receipt_id: Uuid) {
    sql::execute(SUPERSEDE, &[node_id.into(), sql::uuid(receipt_id).into()]);
}
