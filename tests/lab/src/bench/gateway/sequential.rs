//! The same transaction with one statement a round trip, each waited for: begin, role, enter, the
//! statement, commit. Without any HTTP.

use std::time::Duration;

use anyhow::Result;

use super::data::{Asked, RECEIPTS, Session};
use super::drive::{Figures, drive};
use crate::dice::Dice;
use crate::store::Rig;

pub fn measure(rig: &Rig, session: &Session, asked: Asked, time: Duration) -> Result<Figures> {
    drive(time, |number| {
        let mut client = rig.cluster.connect_as("tpv_gateway_user", "tpv")?;
        let enter = client.prepare(&session.enter())?;
        let statement = asked.statement();
        let statement = statement
            .replace(":client_id::text", &format!("'{number}'"))
            .replace(":a::", "$1::")
            .replace(":b::", "$2::")
            .replace(":i::", "$1::");
        let statement = client.prepare(&statement)?;
        let mut dice = Dice::new(number as u64 + 1);
        Ok(move || {
            client.batch_execute(asked.begin())?;
            client.batch_execute("set local role tpv_manager")?;
            client.query(&enter, &[])?;
            let mut roll = |below: u32| i32::try_from(dice.below(below.into()));
            if asked == Asked::Scan {
                client.query(&statement, &[&roll(10)?, &roll(10)?])?;
            } else {
                client.query(&statement, &[&(1 + roll(RECEIPTS)?)])?;
            }
            Ok(client.batch_execute("commit")?)
        })
    })
}
