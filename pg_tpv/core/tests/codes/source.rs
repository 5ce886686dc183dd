//! The sources of the product, cut into words, signs and literals.

use std::fs;
use std::path::{Path, PathBuf};

/// A part of a source. Comments and white space are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A name or a number.
    Word(String),
    /// Any other character.
    Sign(char),
    /// A literal, without its quotes.
    Text(String),
}

/// One file.
#[derive(Debug)]
pub struct Source {
    /// Below the checkout.
    pub path: String,
    /// What it says.
    pub tokens: Vec<Token>,
    /// Codes in quotes within its literals: SQL in Rust, statements that are put together.
    nested: Vec<String>,
    is_sql: bool,
}

/// The checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the checkout is there")
}

/// Every source of every crate of the workspace but the tests.
pub fn all() -> Vec<Source> {
    let root = root();
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("Cargo.toml can be read");
    let members =
        manifest.split_once("members = [").and_then(|(_, rest)| rest.split_once(']')).expect("a list of members").0;
    let members = members.split('"').skip(1).step_by(2).filter(|member| !member.starts_with("tests"));
    let mut sources = Vec::new();
    for folder in members.flat_map(|member| [root.join(member).join("src"), root.join(member).join("sql")]) {
        collect(&root, &folder, &mut sources);
    }
    assert!(sources.len() > 50, "only {} sources were found", sources.len());
    sources
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder can be read").path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // Tests make up codes; what was released is not changed any more, and need not be in this
        // version.
        if ["tests", "tests.rs", "released"].contains(&name) {
            continue;
        }
        let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        let read = || fs::read_to_string(&path).unwrap_or_else(|error| panic!("{shown}: {error}"));
        match path.extension().and_then(|extension| extension.to_str()) {
            _ if path.is_dir() => collect(root, &path, sources),
            Some("rs") => sources.push(Source::rust(&shown, &read())),
            Some("sql") => sources.push(Source::sql(&shown, &read())),
            _ => {}
        }
    }
}

/// Capitals, digits and single underscores, at least three of them: the shape of a code.
pub fn is_code(text: &str) -> bool {
    text.len() >= 3
        && !is_sqlstate(text)
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text
            .split('_')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()))
}

/// Five digits and capitals of a class that has errors: the shape of a SQLSTATE.
fn is_sqlstate(text: &str) -> bool {
    text.len() == 5
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && (text.starts_with(|c: char| c.is_ascii_digit())
            || ["P0", "TP", "XX"].iter().any(|class| text.starts_with(class)))
}

/// `Problem::new(` as tokens.
pub fn pattern(text: &str) -> Vec<Token> {
    Source::rust("", text).tokens
}

impl Source {
    /// Reads Rust, up to its tests, which stand at the end.
    pub fn rust(path: &str, text: &str) -> Self {
        let tests = text.match_indices("#[cfg(test)]").find(|(at, mark)| {
            text[at + mark.len()..].trim_start().trim_start_matches("pub ").starts_with("mod tests {")
        });
        let text = tests.map_or(text, |(at, _)| &text[..at]);
        Self::of(path, lex(text, true), false)
    }

    /// Reads SQL. The bodies of functions are read like the rest.
    pub fn sql(path: &str, text: &str) -> Self {
        Self::of(path, lex(text, false), true)
    }

    fn of(path: &str, tokens: Vec<Token>, is_sql: bool) -> Self {
        let nested =
            tokens.iter().filter_map(|token| if let Token::Text(text) = token { Some(quoted(text)) } else { None });
        Self { path: path.to_owned(), nested: nested.flatten().collect(), tokens, is_sql }
    }

    /// All literals, and the codes in quotes within them.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        let own = self
            .tokens
            .iter()
            .filter_map(|token| if let Token::Text(text) = token { Some(text.as_str()) } else { None });
        own.chain(self.nested.iter().map(String::as_str))
    }

    /// The literals that look like codes, but for those right behind one of these patterns.
    pub fn codes<'s>(&'s self, not_behind: &'s [Vec<Token>]) -> impl Iterator<Item = &'s str> {
        let own = self.tokens.iter().enumerate().filter_map(move |(at, token)| match token {
            Token::Text(text) if !not_behind.iter().any(|pattern| self.tokens[..at].ends_with(pattern)) => {
                Some(text.as_str())
            }
            _ => None,
        });
        own.chain(self.nested.iter().map(String::as_str)).filter(|text| is_code(text))
    }

    /// All names.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().filter_map(|token| if let Token::Word(word) = token { Some(word.as_str()) } else { None })
    }

    /// The literals right behind these tokens.
    pub fn after<'s>(&'s self, pattern: &'s [Token]) -> impl Iterator<Item = &'s str> {
        self.tokens.windows(pattern.len() + 1).filter_map(move |window| match window.split_last() {
            Some((Token::Text(text), before)) if before == pattern => Some(text.as_str()),
            _ => None,
        })
    }

    /// The literals of the array that has this name.
    pub fn array(&self, name: &str) -> Vec<String> {
        let Some(at) = self.tokens.windows(2).position(|two| two == [Token::Word(name.to_owned()), Token::Sign(':')])
        else {
            return Vec::new();
        };
        let value = self.tokens[at..].iter().skip_while(|token| **token != Token::Sign('='));
        let texts = value.take_while(|token| **token != Token::Sign(';'));
        texts.filter_map(|token| if let Token::Text(text) = token { Some(text.clone()) } else { None }).collect()
    }

    /// The codes that statements of this file write into the audit.
    pub fn audited(&self) -> Vec<String> {
        if self.is_sql {
            let audit = [Token::Word("sec".to_owned()), Token::Sign('.'), Token::Word("audit".to_owned())];
            let starts = self
                .tokens
                .windows(4)
                .enumerate()
                .filter(|(_, four)| four[..3] == audit && four[3] == Token::Sign('('));
            let statement = |(at, _)| self.tokens[at..].iter().take_while(|token: &&Token| **token != Token::Sign(';'));
            let text = |token: &Token| if let Token::Text(text) = token { Some(text.clone()) } else { None };
            return starts.flat_map(statement).filter_map(text).filter(|text| is_code(text)).collect();
        }
        self.literals().filter(|text| text.contains("insert into sec.audit")).flat_map(quoted).collect()
    }

    /// The SQLSTATEs that it writes in five characters, and `P0001` where it raises without one.
    pub fn sqlstates(&self) -> Vec<String> {
        let mut states: Vec<String> = self.literals().filter(|text| is_sqlstate(text)).map(str::to_owned).collect();
        if self.is_sql {
            let word = |word: &str| Token::Word(word.to_owned());
            let raises =
                self.tokens.windows(2).enumerate().filter(|(_, two)| *two == [word("raise"), word("exception")]);
            let statement =
                |at: usize| self.tokens[at..].split(|token| *token == Token::Sign(';')).next().unwrap_or_default();
            let plain = raises.filter(|(at, _)| !statement(*at).contains(&word("errcode"))).count();
            states.extend((plain > 0).then(|| "P0001".to_owned()));
        }
        states
    }
}

/// `'CODE'` anywhere in a text, which need not be one language.
fn quoted(text: &str) -> Vec<String> {
    text.split('\'').skip(1).filter(|part| is_code(part)).map(str::to_owned).collect()
}

fn lex(text: &str, rust: bool) -> Vec<Token> {
    let mut rest = Rest { text, rust };
    std::iter::from_fn(|| rest.next()).collect()
}

struct Rest<'t> {
    text: &'t str,
    rust: bool,
}

impl Rest<'_> {
    fn next(&mut self) -> Option<Token> {
        loop {
            self.text = self.text.trim_start();
            let comment = if self.rust { "//" } else { "--" };
            if self.text.starts_with(comment) {
                self.skip(self.text.find('\n').unwrap_or(self.text.len()));
            } else if self.text.starts_with("/*") {
                self.skip(end_of_comment(self.text));
            } else {
                break;
            }
        }
        let first = self.text.chars().next()?;
        if first.is_alphanumeric() || first == '_' {
            let word = self.take(self.text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.text.len()));
            return Some(self.literal_after(&word).unwrap_or(Token::Word(word)));
        }
        match (first, self.rust) {
            ('"', true) => Some(self.string()),
            ('\'', true) => Some(self.character()),
            ('\'', false) => Some(self.sql_text()),
            _ => {
                self.skip(first.len_utf8());
                Some(Token::Sign(first))
            }
        }
    }

    /// `r#"…"#`, `b"…"` and the like.
    fn literal_after(&mut self, prefix: &str) -> Option<Token> {
        if !self.rust || !["r", "br", "cr", "b", "c"].contains(&prefix) {
            return None;
        }
        if !prefix.ends_with('r') {
            return self.text.starts_with('"').then(|| self.string());
        }
        let hashes = self.text.bytes().take_while(|byte| *byte == b'#').count();
        if !self.text[hashes..].starts_with('"') {
            return None;
        }
        self.skip(hashes + 1);
        let end = format!("\"{}", "#".repeat(hashes));
        let text = self.take(self.text.find(&end).expect("a raw string ends"));
        self.skip(end.len());
        Some(Token::Text(text))
    }

    /// A string of Rust. What is escaped is left out but for the backslash: no code has any.
    fn string(&mut self) -> Token {
        let (mut text, mut chars) = (String::new(), self.text[1..].char_indices());
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => {
                    chars.next();
                    text.push('\\');
                }
                '"' => {
                    self.skip(at + 2);
                    return Token::Text(text);
                }
                c => text.push(c),
            }
        }
        panic!("a string does not end: {text:?}");
    }

    /// A character, or the quote of a lifetime.
    fn character(&mut self) -> Token {
        let mut chars = self.text.char_indices().skip(1);
        let (first, second) = (chars.next(), chars.next());
        match (first, second) {
            (Some((_, '\\')), Some((at, escaped))) => {
                let from = at + escaped.len_utf8();
                let length = self.text[from..].find('\'').map_or(0, |end| end + 1);
                self.skip(from + length);
            }
            (Some(_), Some((at, '\''))) => self.skip(at + 1),
            _ => self.skip(1),
        }
        Token::Sign('\'')
    }

    fn sql_text(&mut self) -> Token {
        self.skip(1);
        let mut text = String::new();
        loop {
            text += &self.take(self.text.find('\'').expect("a text of SQL ends"));
            self.skip(1);
            if !self.text.starts_with('\'') {
                return Token::Text(text);
            }
            text.push('\'');
            self.skip(1);
        }
    }

    fn take(&mut self, length: usize) -> String {
        let (taken, rest) = self.text.split_at(length);
        self.text = rest;
        taken.to_owned()
    }

    fn skip(&mut self, length: usize) {
        self.text = &self.text[length..];
    }
}

/// Comments of both languages may stand inside one another.
fn end_of_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        match &text.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}
