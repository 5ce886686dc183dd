//! What people see while the demo runs: a picture that is drawn over itself on a terminal, plain lines elsewhere.

use std::fs;
use std::io::Write;
use std::time::Duration;

use anyhow::Result;

use crate::latency::Latencies;
use crate::store::DEPARTMENTS;

/// One moment.
#[derive(Debug, Default)]
pub struct Picture {
    /// Since the terminals started.
    pub elapsed: Duration,
    /// Files dropped.
    pub files: usize,
    /// `.dat` files seen.
    pub dats: usize,
    /// The last of them.
    pub last: Option<String>,
    /// All so far.
    pub latencies: Latencies,
    /// Receipts by department code.
    pub departments: Vec<(String, i64)>,
    /// Held receipts by reason.
    pub held: Vec<(String, i64)>,
    /// Files in quarantine by reason.
    pub quarantined: Vec<(String, i64)>,
    /// What the operator did.
    pub decided: Vec<String>,
}

/// Draws pictures.
pub struct Display<'a> {
    to: &'a mut dyn Write,
    live: bool,
    drawn: usize,
    last_line: Duration,
    arrivals: Vec<(Duration, usize)>,
}

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// A classic terminal is 80 wide; a line that wraps would spoil the redrawing.
const WIDTH: usize = 79;
/// Where the numbers begin.
const LABEL: usize = 13;

impl<'a> Display<'a> {
    /// `live` for a terminal.
    pub fn new(to: &'a mut dyn Write, live: bool) -> Self {
        Self { to, live, drawn: 0, last_line: Duration::ZERO, arrivals: Vec::new() }
    }

    /// Shows a picture (elsewhere than on a terminal only every two seconds).
    pub fn draw(&mut self, picture: &Picture) -> Result<()> {
        self.arrivals.push((picture.elapsed, picture.files));
        if !self.live {
            if picture.elapsed >= self.last_line + Duration::from_secs(2) {
                self.last_line = picture.elapsed;
                writeln!(self.to, "{}", plain(picture))?;
            }
            return Ok(self.to.flush()?);
        }
        let lines = self.lines(picture);
        if self.drawn > 0 {
            write!(self.to, "\x1b[{}A", self.drawn)?;
        } else {
            write!(self.to, "\x1b[?25l")?;
        }
        for line in &lines {
            let line: String = line.chars().take(WIDTH).collect();
            writeln!(self.to, "\r\x1b[2K{}", coloured(&line))?;
        }
        self.drawn = lines.len();
        Ok(self.to.flush()?)
    }

    /// Gives the terminal back as it was.
    pub fn finish(&mut self) -> Result<()> {
        if self.live {
            write!(self.to, "\x1b[?25h")?;
        }
        Ok(self.to.flush()?)
    }

    fn lines(&self, picture: &Picture) -> Vec<String> {
        let seconds = picture.elapsed.as_secs();
        let most = picture.departments.iter().map(|(_, count)| *count).max().unwrap_or(1).max(1);
        let mut lines = vec![
            format!(
                "store S01 · 20 terminals · 4 departments{:>33}",
                format!("{:02}:{:02}", seconds / 60, seconds % 60)
            ),
            String::new(),
            format!(
                "arrivals     {:>6.1}/s  {}   {} files, {} .dat",
                self.rate(picture.elapsed),
                self.arrivals_line(),
                picture.files,
                picture.dats
            ),
            format!(
                "close → .dat p50 {:>5.1} ms  p99 {:>5.1} ms  {}",
                picture.latencies.percentile_ms(0.5),
                picture.latencies.percentile_ms(0.99),
                latency_line(&picture.latencies)
            ),
            String::new(),
        ];
        for (code, name, owner) in DEPARTMENTS {
            let count = picture.departments.iter().find(|(found, _)| found == code).map_or(0, |(_, count)| *count);
            let bar = "█".repeat(usize::try_from(count * 24 / most).unwrap_or(0));
            lines.push(format!("{code} {name:<9} {count:>5}  {bar:<24}  {owner}"));
        }
        lines.push(String::new());
        lines.push(format!("held         {}", tally(&picture.held)));
        lines.push(format!("quarantined  {}", tally(&picture.quarantined)));
        lines.push(format!("operator     {}", picture.decided.first().map_or("has not been needed yet", |text| text)));
        lines.push(format!("             {}", picture.decided.get(1).map_or("", |text| text)));
        lines.push(format!("last .dat    {}", picture.last.as_deref().map_or("", |path| tail_of(path))));
        lines.push(format!("             {}", picture.last.as_deref().map_or(String::new(), first_record)));
        lines
    }

    /// Over the last two seconds.
    fn rate(&self, now: Duration) -> f64 {
        let since = now.saturating_sub(Duration::from_secs(2));
        let (Some(first), Some(last)) = (self.arrivals.iter().find(|(at, _)| *at >= since), self.arrivals.last())
        else {
            return 0.0;
        };
        let seconds = (last.0 - first.0).as_secs_f64();
        if seconds > 0.0 { (last.1 - first.1) as f64 / seconds } else { 0.0 }
    }

    fn arrivals_line(&self) -> String {
        let steps: Vec<f64> = self.arrivals.windows(2).map(|pair| (pair[1].1 - pair[0].1) as f64).collect();
        sparkline(&steps[steps.len().saturating_sub(24)..])
    }
}

fn plain(picture: &Picture) -> String {
    format!(
        "{:>3} s  {} files, {} .dat, p50 {:.1} ms, p99 {:.1} ms; held {}; quarantined {}{}",
        picture.elapsed.as_secs(),
        picture.files,
        picture.dats,
        picture.latencies.percentile_ms(0.5),
        picture.latencies.percentile_ms(0.99),
        total(&picture.held),
        total(&picture.quarantined),
        picture.decided.last().map_or(String::new(), |text| format!("; operator {text}")),
    )
}

/// The p95 of each of the last stretches of twenty files.
fn latency_line(latencies: &Latencies) -> String {
    let steps: Vec<f64> = latencies.0.chunks(20).map(|part| Latencies(part.to_vec()).percentile_ms(0.95)).collect();
    sparkline(&steps[steps.len().saturating_sub(24)..])
}

fn sparkline(values: &[f64]) -> String {
    let most = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    values.iter().map(|value| BARS[((value / most) * 7.0).round().clamp(0.0, 7.0) as usize]).collect()
}

fn total(counts: &[(String, i64)]) -> i64 {
    counts.iter().map(|(_, count)| count).sum()
}

fn tally(counts: &[(String, i64)]) -> String {
    let each: Vec<_> = counts.iter().map(|(code, count)| format!("{code} {count}")).collect();
    format!("{:<4} {}", total(counts), each.join(" · "))
}

fn tail_of(path: &str) -> &str {
    path.rsplit_once("/out/").map_or(path, |(_, tail)| tail)
}

/// The first line of a `.dat`. Windows-1252 agrees with Unicode wherever our departments write.
fn first_record(path: &str) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    bytes.iter().take_while(|byte| **byte != b'\r').map(|byte| char::from(*byte)).filter(|c| !c.is_control()).collect()
}

/// Labels are dim, so that numbers stand out; what needs a person is yellow, what was refused red.
fn coloured(line: &str) -> String {
    let Some((at, _)) = line.char_indices().nth(LABEL) else { return line.to_owned() };
    let (label, rest) = line.split_at(at);
    match label.trim_end() {
        "arrivals" | "operator" | "last .dat" => format!("\x1b[2m{label}\x1b[0m{rest}"),
        "close → .dat" => format!("\x1b[2m{label}\x1b[32m{rest}\x1b[0m"),
        "held" => format!("\x1b[2m{label}\x1b[33m{rest}\x1b[0m"),
        "quarantined" => format!("\x1b[2m{label}\x1b[31m{rest}\x1b[0m"),
        label if label.starts_with("store") => format!("\x1b[1m{line}\x1b[0m"),
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_never_wraps_on_a_classic_terminal() {
        let picture = Picture { held: vec![("TOTAL_MISMATCH".to_owned(), 3); 20], ..Picture::default() };
        let mut text = Vec::new();
        Display::new(&mut text, true).draw(&picture).unwrap();
        let text = String::from_utf8(text).unwrap();
        // After each escape comes its letter; what follows is seen.
        let seen = |part: &str| part.find(['m', 'K', 'l']).map_or(0, |at| part[at + 1..].chars().count());
        let width = |line: &str| line.split('\x1b').skip(1).map(seen).sum::<usize>();
        assert!(text.lines().all(|line| width(line) <= WIDTH), "{text}");
    }

    #[test]
    fn a_sparkline_reaches_the_top_at_its_greatest_value() {
        assert_eq!(sparkline(&[0.0, 1.0, 2.0]), "▁▅█");
    }
}
