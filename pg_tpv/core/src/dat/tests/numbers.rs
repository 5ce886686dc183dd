use proptest::prelude::*;
use rust_decimal::{Decimal, RoundingStrategy};

use super::super::number::Exact;
use super::*;

const CENTS6: &str = r#""type":"price","length":6,"align":"right","pad":"0""#;
const KILO7: &str = r#""type":"quantity","length":7,"align":"right","pad":"0""#;

#[test]
fn a_price_rounds_half_away_from_zero_and_not_as_a_float_does() {
    for (value, cents) in [
        ("1.005", "000101"),
        ("0.30000000000000004", "000030"),
        ("1.004999999999999999999999999", "000100"),
        ("2.675", "000268"),
        ("9999.99", "999999"),
        ("0", "000000"),
        ("-0", "000000"),
        ("-0.001", "000000"),
        (r#""3.49""#, "000349"),
        (r#""003.490""#, "000349"),
        ("12", "001200"),
    ] {
        assert_eq!(one_field(CENTS6, value).unwrap(), cents, "{value}");
    }
    let signed = r#""type":"price","length":6,"sign":"leading""#;
    assert_eq!(one_field(signed, "-1.005").unwrap(), "-101  ");
}

#[test]
fn a_number_that_does_not_fit_is_refused_and_never_cut_or_widened() {
    let place = "/items/0/x".to_owned();
    for value in ["12345.67", "9999.995", "1234567890123456789012345678"] {
        assert_eq!(refusal(one_field(CENTS6, value)), ("FIELD_OVERFLOW", place.clone()));
    }
    let left = r#""type":"price","length":6"#;
    assert_eq!(one_field(left, "9999.99").unwrap(), "999999");
    assert_eq!(refusal(one_field(left, "12345.67")), ("FIELD_OVERFLOW", place.clone()));
    assert_eq!(refusal(one_field(KILO7, "15000")), ("FIELD_OVERFLOW", place.clone()));
    let kilo6 = r#""type":"quantity","length":6,"align":"right","pad":"0""#;
    assert_eq!(refusal(one_field(kilo6, "1500")), ("FIELD_OVERFLOW", place));
}

#[test]
fn a_quantity_is_never_rounded() {
    assert_eq!(one_field(KILO7, "0.455").unwrap(), "0000455");
    assert_eq!(one_field(KILO7, "0.4550").unwrap(), "0000455");
    assert_eq!(refusal(one_field(KILO7, "0.4555")), ("QUANTITY_SCALE", "/items/0/x".to_owned()));
    assert_eq!(one_field(r#""type":"quantity","decimals":0,"length":3"#, "2.0").unwrap(), "2  ");
    assert_eq!(refusal(one_field(r#""type":"quantity","decimals":0,"length":3"#, "2.5")).0, "QUANTITY_SCALE");
    assert_eq!(one_field(r#""type":"integer","length":3"#, r#""04""#).unwrap(), "4  ");
    assert_eq!(refusal(one_field(r#""type":"integer","length":3"#, "4.5")).0, "QUANTITY_SCALE");
    assert_eq!(one_field(r#""type":"price","decimals":4,"length":6"#, "1.00005").unwrap(), "10001 ");
}

#[test]
fn what_is_not_a_plain_decimal_is_no_number() {
    for value in [
        "1e2",
        "1E+400",
        "12345678901234567890123456789",
        r#""12,50""#,
        r#""1.""#,
        r#"".5""#,
        r#""+1""#,
        r#""""#,
        r#"" 1""#,
    ] {
        assert_eq!(refusal(one_field(CENTS6, value)).0, "WRONG_TYPE", "{value}");
    }
    for value in ["true", "{}", "[1]"] {
        assert_eq!(refusal(one_field(CENTS6, value)).0, "WRONG_TYPE", "{value}");
        assert_eq!(refusal(one_field(r#""length":5"#, value)).0, "WRONG_TYPE", "{value}");
        assert_eq!(refusal(one_field(r#""type":"date","length":6"#, value)).0, "WRONG_TYPE", "{value}");
    }
    assert_eq!(refusal(one_field(r#""length":9"#, "1e2")).0, "WRONG_TYPE");
}

#[test]
fn each_form_of_sign_stands_inside_the_length() {
    let field = |sign: &str, pad: &str, align: &str| {
        format!(r#""type":"integer","length":6,"align":"{align}","pad":"{pad}",{sign}"#)
    };
    for (sign, pad, align, minus, zero, plus) in [
        (r#""sign":"leading""#, "0", "right", "-00005", "000000", "000005"),
        (r#""sign":"leading""#, " ", "right", "-    5", "     0", "     5"),
        (r#""sign":"leading""#, " ", "left", "-5    ", "0     ", "5     "),
        (r#""sign":"trailing""#, "0", "right", "00005-", "00000 ", "00005 "),
        (r#""sign":"trailing""#, " ", "left", "5    -", "0     ", "5     "),
        (r#""sign":"trailing","sign_positive":"+""#, "0", "right", "00005-", "00000+", "00005+"),
        (r#""sign":"leading_flag""#, "0", "right", "-00005", "+00000", "+00005"),
        (
            r#""sign":"leading_flag","sign_positive":"C","sign_negative":"D""#,
            "0",
            "right",
            "D00005",
            "C00000",
            "C00005",
        ),
        (r#""sign":"overpunch""#, "0", "right", "00000N", "00000{", "00000E"),
    ] {
        let field = field(sign, pad, align);
        for (value, expected) in [("-5", minus), ("0", zero), ("-0", zero), ("5", plus)] {
            assert_eq!(one_field(&field, value).unwrap(), expected, "{field} {value}");
        }
    }
}

#[test]
fn the_sign_takes_a_byte_of_the_field() {
    let overflow = ("FIELD_OVERFLOW", "/items/0/x".to_owned());
    let leading = r#""type":"integer","length":3,"sign":"leading""#;
    assert_eq!(one_field(leading, "999").unwrap(), "999");
    assert_eq!(one_field(leading, "-99").unwrap(), "-99");
    assert_eq!(refusal(one_field(leading, "-100")), overflow);
    for sign in ["trailing", "leading_flag"] {
        let field = format!(r#""type":"integer","length":3,"sign":"{sign}""#);
        assert_eq!(refusal(one_field(&field, "100")), overflow);
        assert!(one_field(&field, "-99").is_ok());
    }
    assert_eq!(one_field(r#""type":"integer","length":3,"sign":"overpunch""#, "-100").unwrap(), "10}");
}

#[test]
fn overpunch_has_twenty_last_digits() {
    let field = r#""type":"integer","length":2,"align":"right","pad":"0","sign":"overpunch""#;
    for digit in 0..10 {
        let (plus, minus) = (&"{ABCDEFGHI"[digit..=digit], &"}JKLMNOPQR"[digit..=digit]);
        assert_eq!(one_field(field, &format!("1{digit}")).unwrap(), format!("1{plus}"));
        assert_eq!(one_field(field, &format!("-1{digit}")).unwrap(), format!("1{minus}"));
    }
}

#[test]
fn a_negative_number_without_a_rule_for_signs_is_refused() {
    let place = "/items/0/x".to_owned();
    assert_eq!(refusal(one_field(KILO7, "-1")), ("SIGN_UNDEFINED", place.clone()));
    assert_eq!(
        refusal(one_field(r#""type":"price","length":6,"sign":"forbid""#, "-0.01")),
        ("SIGN_UNDEFINED", place.clone())
    );
    let text = r#""length":6,"align":"right","pad":"0""#;
    assert_eq!(refusal(one_field(text, "-5")), ("SIGN_UNDEFINED", place));
    assert_eq!(one_field(text, "5").unwrap(), "000005");
    assert_eq!(one_field(r#""length":6,"align":"right""#, "-5").unwrap(), "    -5");
}

proptest! {
    #[test]
    fn exact_numbers_agree_with_decimal_where_decimal_is_exact(
        a in -1_000_000_000_000_i64..1_000_000_000_000, a_scale in 0_u32..6,
        b in -1_000_000_000_000_i64..1_000_000_000_000, b_scale in 0_u32..6, decimals in 0_u32..6,
    ) {
        let (a, b) = (Decimal::new(a, a_scale), Decimal::new(b, b_scale));
        let exact = |decimal: Decimal| Exact::parse(&decimal.to_string()).unwrap();
        let text = |decimal: Decimal| if decimal.is_zero() { "0".to_owned() } else { decimal.normalize().to_string() };
        prop_assert_eq!(exact(a).checked_add(exact(b)).unwrap().to_text(), text(a + b));
        prop_assert_eq!(exact(a).checked_mul(exact(b)).unwrap().to_text(), text(a * b));
        let rounded = (a * b).round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
        prop_assert_eq!(exact(a).checked_mul(exact(b)).unwrap().rounded(decimals).unwrap().to_text(), text(rounded));
    }

    #[test]
    fn reading_a_number_never_panics_and_its_text_reads_the_same(text in "-?[0-9]{1,30}(\\.[0-9]{0,30})?") {
        if let Some(number) = Exact::parse(&text) {
            prop_assert_eq!(Exact::parse(&number.to_text()), Some(number));
            for decimals in 0..10 {
                let _ = number.rounded(decimals);
                let _ = number.checked_mul(number).and_then(|square| square.rounded(decimals));
            }
        }
    }
}

#[test]
fn tiny_products_round_to_nothing_and_halves_go_away_from_zero() {
    let tiny = Exact::parse("0.0000000000000000000000000001").unwrap();
    assert_eq!(tiny.checked_mul(tiny).unwrap().rounded(2).unwrap().to_text(), "0");
    for (text, rounded) in [("0.5", "1"), ("-0.5", "-1"), ("0.49", "0"), ("-1.5", "-2"), ("2.5", "3")] {
        assert_eq!(Exact::parse(text).unwrap().rounded(0).unwrap().to_text(), rounded);
    }
    let large = Exact::parse("9999999999999999999999999999").unwrap();
    assert_eq!(large.checked_mul(large), None);
    assert_eq!(large.checked_add(tiny), None);
}
