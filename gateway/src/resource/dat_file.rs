//! `GET /v1/receipts/{node_id}/{receipt_id}/dat`: what was published, and its bytes.

use uuid::Uuid;

use super::elsewhere;
use super::item::one;
use crate::database::asked::Mode;
use crate::database::auth::get;
use crate::database::row::row;
use crate::http::answer::Reply;
use crate::http::download::Download;
use crate::http::problem::{Outcome, Problem};
use crate::http::request::Call;
use crate::route::Nothing;

row! {
    /// The .dat of a receipt, at its own store.
    pub struct DatFile as dat_file_columns {
        node_id: i32,
        receipt_id: Uuid,
        /// The output folder that it goes to.
        folder: String,
        name: String,
        size_bytes: i32,
        /// In hexadecimal.
        sha256: String,
        /// published, pending (it is about to be written or taken away), or withdrawn.
        state: String,
    }
}

pub async fn show(call: Call, _: Nothing) -> Outcome<Reply<DatFile>> {
    let sql = concat!(
        "select ",
        dat_file_columns!(),
        " from (select node_id, receipt_id, folder, name, octet_length(bytes) as size_bytes,
                       encode(sha256, 'hex') as sha256, state
                  from own.dat_file where node_id = $1 and receipt_id = $2) d"
    );
    here(&call).await?;
    one::<DatFile>(&call, sql, &[&call.number(0)?, &call.uuid(1)?]).await.map(Reply::ok)
}

pub async fn download(call: Call, _: Nothing) -> Outcome<Download> {
    here(&call).await?;
    let sql = "select name, bytes from own.dat_file where node_id = $1 and receipt_id = $2";
    let rows = call.app.database.ask(call.person()?, Mode::Read, sql, &[&call.number(0)?, &call.uuid(1)?]).await?;
    let row = rows.first().ok_or_else(Problem::not_found)?;
    Ok(Download { name: get(row, 0)?, bytes: get(row, 1)? })
}

/// Refuses a receipt of another node: its files are there.
pub async fn here(call: &Call) -> Outcome<()> {
    let (node, receipt) = (call.number(0)?, call.uuid(1)?);
    if node == call.app.known_node()?.id {
        return Ok(());
    }
    Err(elsewhere::of_receipt(call, node, receipt, elsewhere::kept_at_store()).await?.into())
}
