//! Which templates let two receipts have one path; what to do then is decided when it happens.

use super::template::{Part, Template};

/// Why two receipts of a store could get one path, each reason a sentence.
pub(super) fn collisions(file_name: &Template, folder: &Template) -> Vec<String> {
    let has = |key| file_name.parts.iter().any(|part| matches!(part, Part::Key { key: own, .. } if *own == key));
    let mut reasons = Vec::new();
    if !has("receiptId") {
        reasons.push("the name lacks {receiptId}, so that receipts of one day share it".to_owned());
    }
    if !has("terminalId") {
        reasons.push("the name lacks {terminalId}, so that terminals of one department may share it".to_owned());
    }
    let dated = |template: &Template| {
        template.parts.iter().any(|part| matches!(part, Part::Date { format, .. } if format.tells_days_apart()))
    };
    if !dated(file_name) && !dated(folder) {
        reasons.push("neither folder nor name has the day, and the numbers of receipts repeat".to_owned());
    }
    if runs_together(file_name) {
        reasons.push(
            "nothing keeps two parts of varying width apart, so that 1 and 23 look like 12 and 3; give one a width, or \
             put `-` between"
                .to_owned(),
        );
    }
    reasons
}

/// Whether two parts of varying width have nothing between them that keeps them apart; a digit or a
/// letter does not.
fn runs_together(template: &Template) -> bool {
    let mut open = false;
    for part in &template.parts {
        match part {
            Part::Key { width: None, .. } if open => return true,
            Part::Key { width: None, .. } => open = true,
            Part::Literal(text) if text.contains(['.', '_', '-']) => open = false,
            _ => {}
        }
    }
    false
}
