//! The legacy form must give the legacy bytes; nothing that was added since may show.

use super::*;

/// The legacy program, as plainly as it can be said: strings, a float, `padStart`, `padEnd`.
fn naive(receipt: &serde_json::Value) -> Vec<u8> {
    let scaled = |value: &serde_json::Value, by: f64| format!("{}", (value.as_f64().unwrap() * by).round() as i64);
    let zeros = |text: &str, length: usize| format!("{}{text}", "0".repeat(length - text.chars().count()));
    let lines: Vec<String> = receipt["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let description: String =
                item["description"].as_str().unwrap().chars().chain(" ".repeat(20).chars()).take(20).collect();
            let written = receipt["timestamp"].as_str().unwrap();
            let date = format!("{}{}{}", &written[8..10], &written[5..7], &written[2..4]);
            [
                zeros(item["barcode"].as_str().unwrap(), 13),
                description,
                zeros(&scaled(&item["price"], 100.0), 8),
                zeros(&scaled(&item["quantity"], 1000.0), 7),
                zeros(receipt["departmentCode"].as_str().unwrap(), 3),
                date,
            ]
            .concat()
        })
        .collect();
    // All of these receipts are within Latin-1, where Windows-1252 has the same bytes.
    lines.join("\r\n").chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

#[test]
fn real_receipts_give_the_bytes_of_the_legacy_program() {
    let legacy = profile(Profile::legacy_json());
    for receipt in RECEIPTS.lines() {
        let made = render(&legacy, &json(receipt)).unwrap();
        assert_eq!(latin(&made.bytes), latin(&naive(&serde_json::from_str(receipt).unwrap())), "{receipt}");
        assert!(!made.substituted);
    }
}

#[test]
fn a_receipt_of_two_lines_is_these_bytes() {
    let receipt = r#"{"receiptId":"716962","terminalId":"T03","departmentCode":"03","items":[
        {"barcode":"8400134171393","description":"ARTÍCULO 13417139","price":4.99,"quantity":1},
        {"barcode":"123","description":"JAMÓN IBÉRICO DE BELLOTA","price":1.005,"quantity":0.455}],
        "total":8.89,"timestamp":"2026-04-15T18:58:37Z"}"#;
    let made = rendered(Profile::legacy_json(), receipt).unwrap();
    let expected = b"8400134171393ART\xcdCULO 13417139   000004990001000003150426\r\n\
        0000000000123JAM\xd3N IB\xc9RICO DE BEL000001010000455003150426";
    assert_eq!(latin(&made.bytes), latin(expected));
}

#[test]
fn the_raw_receipt_and_its_canonical_form_give_the_same_bytes() {
    let fields = r#"{"fields":[{"name":"price","length":8},{"name":"quantity","type":"price","length":8}]}"#;
    let raw = rendered(fields, r#"{"items":[{"quantity":10.10,"price":1.50}]}"#).unwrap();
    let canonical = rendered(fields, r#"{"items":[{"price":1.5,"quantity":10.1}]}"#).unwrap();
    assert_eq!(raw, canonical);
    assert_eq!(latin(&raw.bytes), "1.5     1010    ");
}

#[test]
fn a_text_that_pads_on_the_left_is_never_cut() {
    let receipt = r#"{"items":[{"barcode":"84001341713931","description":"","price":1,"quantity":1}],
        "departmentCode":"03","timestamp":"2026-04-15T18:58:37Z"}"#;
    let result = rendered(Profile::legacy_json(), receipt);
    assert_eq!(refusal(result), ("FIELD_OVERFLOW", "/items/0/barcode".to_owned()));
}

#[test]
fn the_defaults_are_left_and_space_and_a_value_is_looked_up_in_the_line_first() {
    let made = rendered(
        r#"{"fields":[{"name":"a","length":3},{"name":"b","length":3},{"name":"c","length":2}]}"#,
        r#"{"a":"outer","b":"B","c":"C","items":[{"a":"x","c":null}]}"#,
    );
    assert_eq!(latin(&made.unwrap().bytes), "x  B  C ");
}

#[test]
fn the_store_s_wall_clock_is_shown_when_the_caller_adds_it() {
    let legacy = r#"{"fields":[{"name":"timestamp","format":"ddMMyy","length":6},{"name":"timestamp","length":22},
        {"name":"businessDate","format":"yyyyMMdd","length":8},{"name":"localTimestamp","type":"time","length":6}]}"#;
    let bare = rendered(legacy, r#"{"items":[{}],"timestamp":"2026-06-30T22:15:00Z"}"#).unwrap();
    assert_eq!(latin(&bare.bytes), "3006262026-06-30T22:15:00Z  20260630221500");
    let added = r#"{"items":[{}],"timestamp":"2026-06-30T22:15:00Z","localTimestamp":"2026-07-01T00:15:00"}"#;
    assert_eq!(latin(&rendered(legacy, added).unwrap().bytes), "0107262026-06-30T22:15:00Z  20260701001500");
    let day = r#"{"items":[{}],"timestamp":"2026-06-30T22:15:00Z","localTimestamp":"2026-07-01T00:15:00",
        "businessDate":"2026-06-30"}"#;
    assert_eq!(latin(&rendered(legacy, day).unwrap().bytes), "0107262026-06-30T22:15:00Z  20260630001500");
}
