//! Receipts of a wanted number of lines, cut from the sample baskets.

use chrono::{SecondsFormat, Utc};

use crate::store::BASKETS;

/// A file of terminal T01 for each number, as a terminal writes it.
pub fn tickets(lines: usize) -> impl Iterator<Item = Vec<u8>> {
    let pool: Vec<(&str, i64)> = BASKETS.iter().flat_map(|basket| lines_of(basket.items)).collect();
    let mut next = pool.into_iter().cycle();
    (1..).map(move |number: u32| {
        let (items, cents): (Vec<&str>, Vec<i64>) = next.by_ref().take(lines).unzip();
        let (items, cents): (String, i64) = (items.join(","), cents.iter().sum());
        let at = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
        format!(
            r#"{{"receiptId":"{lines}{number:07}","terminalId":"T01","departmentCode":"01","items":[{items}],"total":{}.{:02},"timestamp":"{at}"}}"#,
            cents / 100,
            cents % 100
        )
        .into_bytes()
    })
}

/// The lines of a basket with what each comes to. Those that are not whole pieces at whole cents
/// are left out: their rounding is not what this is about.
fn lines_of(items: &'static str) -> impl Iterator<Item = (&'static str, i64)> {
    items.trim_matches(['[', ']']).split_inclusive("},").filter_map(|line| {
        let line = line.trim_end_matches(',');
        let price = line.split_once("\"price\":")?.1.split_once(',')?.0;
        let quantity: i64 = line.split_once("\"quantity\":")?.1.trim_end_matches('}').parse().ok()?;
        let (whole, fraction) = price.split_once('.').unwrap_or((price, "00"));
        let cents =
            whole.parse::<i64>().ok()? * 100 + (fraction.len() == 2).then(|| fraction.parse::<i64>().ok())??;
        (cents > 0 && quantity > 0).then_some((line, cents * quantity))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_have_the_lines_that_were_asked_for_and_their_sum() {
        for ticket in tickets(12).take(500) {
            let ticket: serde_json::Value = serde_json::from_slice(&ticket).unwrap();
            let lines = ticket["items"].as_array().unwrap();
            let cents = |number: &serde_json::Value| (number.as_f64().unwrap() * 100.0).round() as i64;
            let sum: i64 = lines.iter().map(|l| cents(&l["price"]) * l["quantity"].as_i64().unwrap()).sum();
            assert_eq!((lines.len(), sum), (12, cents(&ticket["total"])));
        }
    }
}
