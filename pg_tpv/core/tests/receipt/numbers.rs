//! Numbers: money, quantities, rates, and the printed total.

use crate::judge::{NUMBERS, accepted, check, check_all, judge, line, plain, receipt, with};

#[test]
fn row_9_a_number_as_text_is_never_guessed_at() {
    let comma = r#"{"decimal_comma": true}"#;
    check_all(&[
        ("12,50", line(r#""12,50""#, "1", "12.50"), "{}", ("quarantined", &["TYPE"])),
        ("1.234", line(r#""1.234""#, "1", "1.23"), "{}", ("quarantined", &["TYPE"])),
        ("12,50 declared", line(r#""12,50""#, r#""1""#, r#""12,50""#), comma, accepted(&[])),
        ("a number all the same", line("12.50", "1", "12.50"), comma, accepted(&[])),
        ("minus", line(r#""12,50""#, r#""-1""#, r#""-12,50""#), comma, accepted(&[])),
        ("three decimals", line(r#""12,505""#, r#""1""#, r#""12,50""#), comma, ("quarantined", &["PRICE_SCALE"])),
        ("a minus zero", line(r#""-0,00""#, r#""1""#, "0"), comma, accepted(&["ZERO_PRICE"])),
        ("idle zeros", line(&format!("\"1,5{}\"", "0".repeat(40)), r#""1""#, r#""1,5""#), comma, accepted(&[])),
        ("40 digits", line(&format!("\"{}\"", "1".repeat(40)), "1", "0"), comma, ("quarantined", &["NUMBER_FORMAT"])),
    ]);
    for text in ["1.234", "1.234,50", "1,234,50", "1 234", "", ",5", "5,", "+1", "1e2", "--1", "-", " 1", "١", "NaN"] {
        check(text, line(&format!("\"{text}\""), "1", "1").as_bytes(), comma, ("quarantined", &["TYPE"]));
    }
    let plain_number = judge(line("12.5", "1", "12.5").as_bytes(), "{}");
    let as_text = judge(line(r#""012,50""#, r#""1""#, r#""12,5""#).as_bytes(), comma);
    assert_eq!(as_text.body, plain_number.body);
}

#[test]
fn rows_10_and_11_decimals_are_exact_and_what_a_float_left_is_taken_back() {
    check_all(&[
        ("1.005", line("1.005", "1", "1.01"), "{}", ("quarantined", &["PRICE_SCALE"])),
        ("1.005 declared", line("1.005", "1", "1.01"), NUMBERS, accepted(&[])),
        ("five decimals", line("1.00005", "1", "1.00"), NUMBERS, ("quarantined", &["PRICE_SCALE"])),
        ("a total of three", line("1.005", "1", "1.005"), NUMBERS, ("quarantined", &["PRICE_SCALE"])),
        ("idle zeros", line("1.5000", "1.0000", "1.5000"), "{}", accepted(&[])),
        ("0.1 + 0.2", line("0.30000000000000004", "1", "0.30"), "{}", accepted(&["FLOAT_ARTEFACT"])),
        ("below", line("5.999999999999999", "1", "6"), "{}", accepted(&["FLOAT_ARTEFACT"])),
        ("in the total", line("0.30", "1", "0.30000000000000004"), "{}", accepted(&["FLOAT_ARTEFACT"])),
        ("in the quantity", line("1", "0.45500000000000002", "0.46"), "{}", accepted(&["FLOAT_ARTEFACT"])),
        ("as near as that", line("0.300000001", "1", "0.30"), "{}", accepted(&["FLOAT_ARTEFACT"])),
        ("further off", line("0.3000000011", "1", "0.30"), "{}", ("quarantined", &["PRICE_SCALE"])),
        ("nothing at all", line("1", "0.0000000001", "0"), "{}", ("quarantined", &["ZERO_QUANTITY"])),
    ]);
    assert_eq!(
        judge(line("1.005", "1", "1.01").as_bytes(), NUMBERS).receipt.unwrap().items[0].total.to_string(),
        "1.01"
    );
    let artefact = judge(line("0.30000000000000004", "1", "0.3").as_bytes(), "{}");
    assert_eq!(artefact.body, judge(line("0.3", "1", "0.30").as_bytes(), "{}").body);
}

#[test]
fn rows_12_and_13_the_printed_total_stands_within_a_cent_for_each_weighed_line() {
    check_all(&[
        ("exact", line("12.90", "0.455", "5.87"), "{}", accepted(&[])),
        ("cut off", line("12.90", "0.455", "5.86"), "{}", accepted(&["ROUNDING"])),
        ("above", line("12.90", "0.455", "5.88"), "{}", accepted(&["ROUNDING"])),
        ("two cents", line("12.90", "0.455", "5.85"), "{}", ("held", &["TOTAL_MISMATCH"])),
        ("no weight, no tolerance", line("1.50", "2", "3.01"), "{}", ("held", &["TOTAL_MISMATCH"])),
        ("a tolerance declared", line("1.50", "2", "3.05"), r#"{"total_tolerance_cents": 5}"#, accepted(&["ROUNDING"])),
        ("beyond it", line("1.50", "2", "3.06"), r#"{"total_tolerance_cents": 5}"#, ("held", &["TOTAL_MISMATCH"])),
        ("both", line("12.90", "0.455", "5.93"), r#"{"total_tolerance_cents": 5}"#, accepted(&["ROUNDING"])),
        ("whole pieces at tenths of a cent", line("1.005", "1", "1.00"), NUMBERS, accepted(&["ROUNDING"])),
    ]);
    let read = receipt(&line("12.90", "0.455", "5.86"));
    assert_eq!((read.total_difference.to_string(), read.total.to_string()), ("-0.01".to_owned(), "5.86".to_owned()));
}

#[test]
fn rows_14_to_17_signs_and_zeros() {
    let two = |first: &str, second: &str, total: &str| {
        let lines = format!(
            r#"{{"barcode":"4006381333931","description":"A","price":2.00,"quantity":{first}}},{{"barcode":"4011","description":"B","price":0.50,"quantity":{second}}}"#
        );
        let start = plain().find('[').unwrap() + 1;
        let end = plain().find(']').unwrap();
        format!("{}{lines}{}", &plain()[..start], &plain()[end..]).replacen("3.00", total, 1)
    };
    check_all(&[
        ("14 one line taken back", two("3", "-1", "5.50"), "{}", accepted(&["PLU"])),
        ("15 all taken back", two("-3", "-1", "-6.50"), "{}", accepted(&["PLU"])),
        ("a discount as a line", line("-1.50", "1", "-1.50"), "{}", accepted(&[])),
        ("16 nothing to pay", line("0.00", "1", "0.00"), "{}", accepted(&["ZERO_PRICE"])),
        (
            "17 no lines",
            with(&plain()[plain().find("[{").unwrap()..=plain().find("}]").unwrap() + 1], "[]"),
            "{}",
            ("quarantined", &["NO_ITEMS"]),
        ),
        ("17 quantity 0", line("1.50", "0", "0"), "{}", ("quarantined", &["ZERO_QUANTITY"])),
        ("17 quantity 0.000", line("1.50", "0.000", "0"), "{}", ("quarantined", &["ZERO_QUANTITY"])),
    ]);
    let (sale, void) = (receipt(&two("3", "1", "6.50")), receipt(&two("-3", "-1", "-6.50")));
    assert!(void.wholly_negative() && !sale.wholly_negative());
    assert!(!receipt(&two("3", "-1", "5.50")).wholly_negative());
    assert!(void.is_twin_of(&sale) && sale.is_twin_of(&void));
    assert!(!void.is_twin_of(&void) && !sale.is_twin_of(&sale));
    let mut turned = void.clone();
    turned.items.reverse();
    assert!(turned.is_twin_of(&sale));
    turned.items[0].price += rust_decimal::Decimal::ONE;
    assert!(!turned.is_twin_of(&sale));
}

#[test]
fn rows_18_and_19_numbers_that_no_column_holds() {
    check_all(&[
        ("18 a large price is a receipt", line("12345.67", "1", "12345.67"), "{}", accepted(&[])),
        ("19 four decimals", line("1.00", "0.4555", "0.46"), "{}", ("held", &["QUANTITY_SCALE"])),
        ("19 a third", line("1.00", "0.3333333333333333", "0.33"), "{}", ("held", &["QUANTITY_SCALE"])),
        ("19 1500 kg", line("1.00", "1500", "1500"), "{}", accepted(&[])),
        ("price", line("10000000000", "1", "1"), "{}", ("quarantined", &["NUMBER_RANGE"])),
        ("quantity", line("0.01", "100000000000", "1"), "{}", ("quarantined", &["NUMBER_RANGE"])),
        ("total", line("1", "1", "1000000000000"), "{}", ("quarantined", &["NUMBER_RANGE"])),
        ("product", line("9999999999", "99999999999", "1"), "{}", ("quarantined", &["NUMBER_RANGE"])),
        (
            "1E+1, which is how the samples write ten pieces",
            line("0.20", "1E+1", "2.00"),
            "{}",
            accepted(&["EXPONENT"]),
        ),
        ("1e400", line("1e400", "1", "100"), "{}", ("quarantined", &["NUMBER_FORMAT"])),
        ("1e1000000", line("1e1000000", "1", "100"), "{}", ("quarantined", &["NUMBER_FORMAT"])),
        ("1e-400", line("1", "1", "1e-400"), "{}", ("quarantined", &["NUMBER_FORMAT"])),
        ("40 digits", line(&"1".repeat(40), "1", "0"), "{}", ("quarantined", &["NUMBER_FORMAT"])),
        ("40 decimals", line(&format!("0.{}", "1".repeat(40)), "1", "0"), "{}", ("quarantined", &["NUMBER_FORMAT"])),
        (
            "where nobody looks",
            with(r#""total""#, r#""x":[{"y":1e131071}],"total""#),
            "{}",
            ("quarantined", &["NUMBER_FORMAT"]),
        ),
    ]);
}

#[test]
fn a_tax_rate_is_a_percentage() {
    let rate = |text: &str| with(r#""price""#, &format!(r#""taxRate":{text},"price""#));
    check_all(&[
        ("21", rate("21"), "{}", accepted(&[])),
        ("0", rate("0"), "{}", accepted(&[])),
        ("5.5", rate("5.50"), "{}", accepted(&[])),
        ("null", rate("null"), "{}", accepted(&[])),
        ("negative", rate("-1"), "{}", ("quarantined", &["NUMBER_RANGE"])),
        ("above", rate("100.01"), "{}", ("quarantined", &["NUMBER_RANGE"])),
        ("too fine", rate("5.555"), "{}", ("quarantined", &["NUMBER_RANGE"])),
        ("text", rate(r#""21%""#), "{}", ("quarantined", &["TYPE"])),
    ]);
}
