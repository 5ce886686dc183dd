use super::*;

const KEY: &str = "00000000-0000-7000-8000-0000000000af";

#[test]
fn a_key_has_one_spelling() {
    assert_eq!(check_key(KEY), Ok(()));
    let others = [
        KEY.to_uppercase(),
        KEY.replace('-', ""),
        format!("{{{KEY}}}"),
        format!("{KEY} "),
        format!(" {}", &KEY[1..]),
        format!("{}-", &KEY[..35]),
        KEY.replace("0-0", "00-"),
        KEY.replace('-', "0"),
        KEY.replace("af", "é"),
        "urn:uuid:".to_owned() + KEY,
        "nobody".to_owned(),
        String::new(),
    ];
    for other in others {
        let fault = check_key(&other).expect_err(&other);
        assert_eq!(fault.code(), "OPERATION_KEY", "{other}");
    }
}
