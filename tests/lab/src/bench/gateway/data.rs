//! What is asked for, and the store that has it: 100,000 receipts, 100 products, a customer for
//! each connection.

use anyhow::Result;
use uuid::Uuid;

use super::CONNECTIONS;
use crate::store::Rig;

pub const RECEIPTS: u32 = 100_000;

/// The codes of the products have all one check digit: what a digit adds, another one takes away.
const FILL: &str = "
begin;
set local synchronous_commit = off;
insert into catalog.product (product_id, sku, description, unit)
select ('00000000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, 'B' || i, 'product ' || i, 'piece' from generate_series(0, 99) i;
insert into catalog.barcode (gtin14, product_id)
select concat('080', i / 10, '0', 9 - i / 10, '0', i % 10, '0', 9 - i % 10, '0004'), ('00000000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid
  from generate_series(0, 99) i;
insert into catalog.price (product_id, price, valid_from)
select ('00000000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, 1 + i, now() - interval '1 day' from generate_series(0, 99) i;
insert into party.customer (customer_id, name, city)
select ('00000000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, 'customer ' || i, 'Madrid' from generate_series(0, CONNECTIONS - 1) i;
set local session_replication_role = replica;
insert into sales.receipt
select 1, ('0197a2b0-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, current_date - i / 500, 'T01', '01', '', i::text,
       'x', now(), now(), now(), 2, 1, 1, 0, 'accepted', 'accepted', null, null, null, '{}'
  from generate_series(1, RECEIPTS) i;
commit;
analyze";

/// Fills a registered store.
pub fn fill(rig: &Rig) -> Result<()> {
    let fill = FILL.replace("CONNECTIONS", &CONNECTIONS.to_string()).replace("RECEIPTS", &RECEIPTS.to_string());
    Ok(rig.dba()?.batch_execute(&fill)?)
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Scan,
    Receipt,
    Change,
}

impl Asked {
    pub const ALL: [Self; 3] = [Self::Scan, Self::Receipt, Self::Change];

    pub fn name(self) -> &'static str {
        match self {
            Self::Scan => "scan look-up",
            Self::Receipt => "receipt by id",
            Self::Change => "customer update",
        }
    }

    pub fn key(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Receipt => "receipt",
            Self::Change => "customer",
        }
    }

    /// The statement of the gateway, with the words of pgbench for what differs each time. It has
    /// to ask for the version that a client of the gateway has seen.
    pub fn statement(self) -> String {
        match self {
            Self::Scan => "select own.scan(jsonb_build_object('code', concat('80', :a::integer, '0', 9 - :a::integer, '0', :b::integer, '0', 9 - :b::integer, '0004')))::text".into(),
            Self::Receipt => "select * from own.receipt where node_id = 1 \
                              and receipt_id = ('0197a2b0-0000-7000-8000-' || lpad(to_hex(:i::integer), 12, '0'))::uuid".into(),
            Self::Change => {
                let id = "'00000000-0000-7000-8000-' || lpad(:client_id::text, 12, '0')";
                format!(
                    "select own.once(null, null, 'change_customer', jsonb_build_object('customer_id', {id}, 'version', \
                     (select etag from own.customer where customer_id = ({id})::uuid), 'changes', \
                     jsonb_build_object('city', 'C' || :i::integer)))::text"
                )
            }
        }
    }

    pub fn begin(self) -> &'static str {
        if self == Self::Change { "begin" } else { "begin read only" }
    }
}

/// Who asks, as `sec.enter` wants it.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: Uuid,
    pub employee: Uuid,
    pub authz: i32,
}

impl Session {
    /// The latest of somebody.
    pub fn of(rig: &Rig, code: &str) -> Result<Self> {
        let row = rig.dba()?.query_one(
            "select s.session_id, s.employee_id, s.authz from sec.session s join party.employee e using (employee_id) \
              where e.code = $1 and s.ended_at is null order by s.created_at desc limit 1",
            &[&code],
        )?;
        Ok(Self { id: row.get(0), employee: row.get(1), authz: row.get(2) })
    }

    pub fn enter(&self) -> String {
        format!("select sec.enter('{}', '{}', 'manager', {})", self.id, self.employee, self.authz)
    }
}
