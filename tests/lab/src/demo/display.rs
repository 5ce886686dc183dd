//! Frames on a terminal, each drawn over the one before; lines elsewhere.

use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;

use anyhow::Result;

/// A classic terminal is 80 wide; a line that wraps would spoil the redrawing.
pub const WIDTH: usize = 79;
/// And 24 high, with the cursor on the last row.
pub const HEIGHT: usize = 23;

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    #[default]
    Plain,
    /// What matters most.
    Bold,
    /// What need not be read.
    Dim,
    /// What is not as it should be.
    Yellow,
}

/// One line of a frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// What it says; cut off at the edge.
    pub text: String,
    pub style: Style,
}

impl Line {
    /// A line of this style.
    pub fn of(style: Style, text: impl Into<String>) -> Self {
        Self { text: text.into(), style }
    }
}

/// Where frames and lines go.
pub struct Display<'a> {
    to: &'a mut dyn Write,
    live: bool,
    colour: bool,
    drawn: usize,
}

impl<'a> Display<'a> {
    /// `live` to draw over what was drawn before.
    pub fn new(to: &'a mut dyn Write, live: bool) -> Self {
        let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { to, live, colour, drawn: 0 }
    }

    /// Whether frames are drawn.
    pub fn live(&self) -> bool {
        self.live
    }

    /// Draws a frame over the one before, in one piece, so that it does not flicker.
    pub fn draw(&mut self, lines: &[Line]) -> Result<()> {
        let mut frame = if self.drawn > 0 { format!("\x1b[{}A", self.drawn) } else { String::new() };
        for line in lines {
            let text: String = line.text.chars().take(WIDTH).collect();
            let (begin, end) = if self.colour { codes(line.style) } else { ("", "") };
            frame += &format!("\r\x1b[2K{begin}{}{end}\n", text.trim_end());
        }
        // A frame that is shorter than the one before leaves nothing of it.
        frame += "\x1b[J";
        self.drawn = lines.len();
        self.to.write_all(frame.as_bytes())?;
        Ok(self.to.flush()?)
    }

    /// Writes a line, where frames are not drawn.
    pub fn say(&mut self, text: &str) -> Result<()> {
        writeln!(self.to, "{}", text.trim_end())?;
        Ok(self.to.flush()?)
    }
}

/// Whether frames can be drawn there: a terminal that knows the codes, and is large enough.
pub fn can_draw(to: &(impl AsFd + IsTerminal)) -> bool {
    let clever = std::env::var("TERM").is_ok_and(|term| term != "dumb");
    to.is_terminal()
        && clever
        && rustix::termios::tcgetwinsize(to)
            .is_ok_and(|size| usize::from(size.ws_row) > HEIGHT && usize::from(size.ws_col) > WIDTH)
}

fn codes(style: Style) -> (&'static str, &'static str) {
    match style {
        Style::Plain => ("", ""),
        Style::Bold => ("\x1b[1m", "\x1b[0m"),
        Style::Dim => ("\x1b[2m", "\x1b[0m"),
        Style::Yellow => ("\x1b[33m", "\x1b[0m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Line {
        Line::of(Style::Plain, text)
    }

    #[test]
    fn a_long_line_is_cut_off_and_does_not_wrap() {
        let mut text = Vec::new();
        Display::new(&mut text, true).draw(&[plain(&"ñ".repeat(200))]).unwrap();
        assert_eq!(String::from_utf8(text).unwrap().matches('ñ').count(), WIDTH);
    }

    #[test]
    fn a_second_frame_is_drawn_over_the_first() {
        let mut text = Vec::new();
        let mut display = Display::new(&mut text, true);
        display.draw(&[plain("one"), plain("two")]).unwrap();
        display.draw(&[plain("three")]).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.ends_with("\x1b[2A\r\x1b[2Kthree\n\x1b[J"), "{text:?}");
    }
}
