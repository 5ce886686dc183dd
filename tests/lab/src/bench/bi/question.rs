//! The questions of `docs/analyst.md`: headings `### 7. …`, each with a block of SQL.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub number: u32,
    pub title: String,
    /// One statement, without its semicolon.
    pub sql: String,
}

/// Reads them.
pub fn read(document: &Path) -> Result<Vec<Question>> {
    let text = fs::read_to_string(document).with_context(|| format!("reading {}", document.display()))?;
    let questions = questions(&text);
    ensure!(!questions.is_empty(), "{} has no questions", document.display());
    Ok(questions)
}

fn questions(text: &str) -> Vec<Question> {
    let mut questions: Vec<Question> = Vec::new();
    let mut is_sql = false;
    for line in text.lines() {
        let heading = line.strip_prefix("### ").and_then(|rest| rest.split_once(". "));
        if let Some((number, title)) = heading.and_then(|(number, title)| Some((number.parse().ok()?, title))) {
            questions.push(Question { number, title: title.to_owned(), sql: String::new() });
        } else if line.starts_with("```") {
            // Only the first block: what follows may be an answer, or another way to ask.
            is_sql = line == "```sql" && questions.last().is_some_and(|question| question.sql.is_empty());
        } else if let Some(question) = questions.last_mut().filter(|_| is_sql) {
            question.sql.push_str(line);
            question.sql.push('\n');
        }
    }
    for question in &mut questions {
        question.sql = question.sql.trim().trim_end_matches(';').to_owned();
    }
    questions.retain(|question| !question.sql.is_empty());
    questions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_has_a_number_a_title_and_the_first_statement_below_it() {
        let text = "```sql\nselect 0;\n```\n### Which view\n### 1. How much?\nWords.\n```sql\nselect 1\nfrom x;\n```\n```text\n 1\n```\n\
                    ```sql\nselect 2;\n```\n### 2. None\n### 3. Who?\n```sql\nselect 3;\n```\n";
        let of = |number, title: &str, sql: &str| Question { number, title: title.to_owned(), sql: sql.to_owned() };
        assert_eq!(questions(text), [of(1, "How much?", "select 1\nfrom x"), of(3, "Who?", "select 3")]);
    }
}
