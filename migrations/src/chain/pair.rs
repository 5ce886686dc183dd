//! Central and a store: how far the store is in joining, and the steps that a plan has for them.

use anyhow::{Context, anyhow, bail};
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::Order;
use super::node::{Node, told};
use super::plan::{self, Deed, Logins, Row, Side, Step};
use super::secret::{self, Secret};

/// "tpv" in ASCII. With the number of a store it is what one command at a time holds, on both nodes;
/// with 0, what makes a subscription.
const LOCK: i32 = 7_631_990;

/// How far a store is in joining.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    ToDo,
    /// A command that was killed had come so far that the snapshot is on its way.
    OnItsWay,
    Joined,
}

/// The two nodes.
pub struct Pair {
    pub central: Node,
    /// None where its server is gone for good.
    pub store: Option<Node>,
    pub store_id: i32,
    pub store_code: String,
}

/// Whether a node has a subscription to a peer, and it is on.
const RECEIVES: &str = "
    select exists (select from sync.peer p join pg_catalog.pg_subscription s on s.subname = p.subscription_name
                    where p.node_id = $1 and s.subenabled
                      and s.subdbid = (select d.oid from pg_catalog.pg_database d where d.datname = current_database()))";

impl Pair {
    /// Connects, and sees to it that no other command is at work on this store.
    pub async fn open(order: &Order) -> anyhow::Result<Self> {
        let central = Node::open(&order.central, "--central", "central").await?;
        let store = match &order.store {
            Some(connection) => Some(Node::open(connection, "--store", "store").await?),
            None => None,
        };
        let (store_id, store_code) = match (&store, &order.gone) {
            (Some(store), _) => (store.node_id, store.code.clone()),
            (None, Some(gone)) => {
                let asked = "select n.node_id, n.node_code from org.node n where n.node_code = $1 and n.kind = 'store'";
                let row = central.client.query_opt(asked, &[gone]).await?;
                let row = row.with_context(|| format!("--gone is {gone}; central knows no store of that code"))?;
                (row.get(0), row.get(1))
            }
            (None, None) => bail!("give the store's address with --store or --store-file"),
        };
        let pair = Self { central, store, store_id, store_code };
        for node in pair.nodes() {
            pair.prepare(node, order).await?;
        }
        if order.deed != Deed::Leave {
            pair.refuse_others(order).await?;
        }
        Ok(pair)
    }

    async fn prepare(&self, node: &Node, order: &Order) -> anyhow::Result<()> {
        let setting_up = "the session could not be set up";
        node.client.batch_execute(secret::KEEP_NOTHING).await.context(setting_up)?;
        if order.dry_run {
            return Ok(());
        }
        let lock = "select pg_try_advisory_lock($1, $2)";
        if !node.client.query_one(lock, &[&LOCK, &self.store_id]).await.context(setting_up)?.get::<_, bool>(0) {
            bail!("another tpv-migrate is at work on {} at {}; wait for its end", self.store_code, node.code);
        }
        Ok(())
    }

    /// What would do harm, or cannot be done, is refused before the first step.
    async fn refuse_others(&self, order: &Order) -> anyhow::Result<()> {
        let Some(store) = &self.store else { return Ok(()) };
        let central = &self.central;
        let knows = "select exists (select from sync.peer p where p.node_id = $1)";
        // One that was in the chain may join again with the version before.
        let was_here: bool = store.client.query_one(knows, &[&central.node_id]).await?.get(0);
        let differ = store.extension != central.extension || store.schema != central.schema;
        if differ && !(order.deed == Deed::Rejoin && was_here) {
            bail!(
                "the two are of different versions: {} has pg_tpv {} and schema {}, {} has {} and {}; a store joins with the \
                 versions that central has",
                central.code,
                central.extension,
                central.schema,
                store.code,
                store.extension,
                store.schema
            );
        }
        if central.client.query_one("select sync.is_restored()", &[]).await?.get(0) {
            bail!(
                "{} was restored from a backup and has not got back what it forgot; sync.restored_plan brings back all stores",
                central.code
            );
        }
        let asked = "select sync.refuse_banned($1)";
        central.client.execute(asked, &[&self.store_id]).await.map_err(|error| anyhow!(told(&error)))?;
        let is_known: bool = central.client.query_one(knows, &[&self.store_id]).await?.get(0);
        let subscribes = "select exists (select from pg_catalog.pg_subscription s where s.subname = 'tpv_from_central' and s.subdbid =
                                          (select d.oid from pg_catalog.pg_database d where d.datname = current_database()))";
        if !is_known && store.client.query_one(subscribes, &[]).await?.get(0) {
            bail!(
                "{} receives from a central already, and {} does not know it: either this is another central, or it was lost. \
                 sync.restored_plan brings a central back that was restored; a store leaves its chain with tpv-migrate leave",
                self.store_code,
                central.code
            );
        }
        Ok(())
    }

    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        std::iter::once(&self.central).chain(&self.store)
    }

    pub fn client(&self, side: Side) -> Option<&Client> {
        match side {
            Side::Central => Some(&self.central.client),
            Side::Store => self.store.as_ref().map(|store| &store.client),
        }
    }

    /// Only a line that is there can be renewed.
    pub async fn must_have_joined(&self) -> anyhow::Result<()> {
        let Some(store) = &self.store else { bail!("give the store's address with --store or --store-file") };
        let at_central: bool = self.central.client.query_one(RECEIVES, &[&self.store_id]).await?.get(0);
        let at_store: bool = store.client.query_one(RECEIVES, &[&self.central.node_id]).await?.get(0);
        if !at_central || !at_store {
            bail!("{} has not joined, or its line is off: use tpv-migrate join or rejoin", self.store_code);
        }
        Ok(())
    }

    /// How far a command got that was killed.
    pub async fn standing(&self) -> anyhow::Result<Standing> {
        let Some(store) = &self.store else { return Ok(Standing::ToDo) };
        let central = &self.central;
        let at_central: bool = central.client.query_one(RECEIVES, &[&self.store_id]).await?.get(0);
        let at_store: bool = store.client.query_one(RECEIVES, &[&central.node_id]).await?.get(0);
        let has_peers: bool = store.client.query_one("select exists (select from sync.peer)", &[]).await?.get(0);
        if at_central && !has_peers {
            bail!(
                "{} receives from {} already, and the database there has never joined: it is a new one, or a backup of \
                 before; tpv-migrate rejoin brings back what central has of it",
                central.code,
                self.store_code
            );
        }
        if !at_central || !at_store {
            return Ok(Standing::ToDo);
        }
        // Parts that do not come any more make no snapshot complete.
        let snapshots = "
            select coalesce(bool_or(l.completed_at is not null), false),
                   coalesce(bool_or(l.completed_at is null and l.ended_at is null and l.expected_parts is null
                                    and l.part_at > now() - interval '5 minutes'), false)
              from sync.snapshot l join sync.peer p on p.node_id = l.node_id
             where l.node_id = $1 and l.started_at >= p.added_at";
        let arrived = store.client.query_one(snapshots, &[&central.node_id]).await?;
        // Sent within the hour: it waits for the line, and another one would wait beside it.
        let leaves = "
            select exists (select from sync.outgoing o where o.to_node = $1)
                or exists (select from wire.resend r join sync.peer p on p.node_id = r.to_node
                            where r.to_node = $1 and r.node_id = org.this_node() and r.kind = 'snapshot_end'
                              and tpv.hlc_time(r.hlc) > greatest(p.added_at, now() - interval '1 hour'))";
        let leaves: bool = central.client.query_one(leaves, &[&self.store_id]).await?.get(0);
        Ok(match (arrived.get(0), leaves || arrived.get(1)) {
            (true, _) => Standing::Joined,
            (false, true) => Standing::OnItsWay,
            (false, false) => Standing::ToDo,
        })
    }

    /// The steps of the plan, which central writes.
    pub async fn steps(&self, order: &Order, secrets: &(Secret, Secret)) -> anyhow::Result<Vec<Step>> {
        let central = &self.central;
        if order.deed == Deed::Leave {
            let asked: [&(dyn ToSql + Sync); 4] = [&self.store_code, &self.store_id, &central.code, &central.node_id];
            let rows = rows(&central.client, order.deed, &asked).await?;
            return Ok(plan::steps(rows.clone(), rows, &self.store_code, None));
        }
        let Some(store) = &self.store else { bail!("give the store's address with --store or --store-file") };
        let to_store = conninfo(order.store_conninfo.as_deref(), "--store-conninfo", central, self.store_id).await?;
        let to_central =
            conninfo(order.central_conninfo.as_deref(), "--central-conninfo", store, central.node_id).await?;
        let asked = async |to_store: &str, to_central: &str| {
            let asked: [&(dyn ToSql + Sync); 6] =
                [&self.store_code, &self.store_id, &central.code, &central.node_id, &to_store, &to_central];
            rows(&central.client, order.deed, &asked).await
        };
        let shown = asked(&to_store, &to_central).await?;
        if !order.draw_passwords {
            return Ok(plan::steps(shown.clone(), shown, &self.store_code, None));
        }
        let run = asked(&secrets.1.with(&to_store), &secrets.0.with(&to_central)).await?;
        let logins =
            Logins { store: (store.login().await?, &secrets.0), central: (central.login().await?, &secrets.1) };
        Ok(plan::steps(run, shown, &self.store_code, Some(&logins)))
    }
}

async fn rows(central: &Client, deed: Deed, asked: &[&(dyn ToSql + Sync)]) -> anyhow::Result<Vec<Row>> {
    let places: Vec<String> = (1..=asked.len()).map(|place| format!("${place}")).collect();
    let plan = format!(
        "select p.step, p.run_on, p.sql, p.why from {}({}) with ordinality as p (step, run_on, sql, why, nth) order by p.nth",
        deed.function(),
        places.join(", ")
    );
    let rows = central.query(&plan, asked).await.map_err(|error| anyhow!(told(&error)))?;
    let rows = rows.iter().map(|row| Row { step: row.get(0), run_on: row.get(1), sql: row.get(2), why: row.get(3) });
    Ok(rows.filter(|row| deed.has(row.step)).collect())
}

/// How a node reaches its peer: as it was given, or as a plan said last.
async fn conninfo(given: Option<&str>, option: &str, at: &Node, peer: i32) -> anyhow::Result<String> {
    let known = at.client.query_opt("select p.conninfo from sync.peer p where p.node_id = $1", &[&peer]).await?;
    let known: Option<String> = known.and_then(|row| row.get(0));
    given.map(str::to_owned).or(known).with_context(|| {
        format!(
            "{option} says how the server of {} reaches the other one: words without a user, such as \
             'host=s07.example dbname=tpv sslmode=verify-full sslrootcert=/etc/tpv/ca.pem'",
            at.code
        )
    })
}
