//! Where the demo shows itself: one refreshing screen on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::frame::Frame;

/// The time between two plain lines.
const PLAIN_PAUSE: Duration = Duration::from_secs(3);
/// The time between two frames on a terminal.
const FRAME_PAUSE: Duration = Duration::from_millis(200);

/// The alternate screen, no cursor, no wrapping.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";
/// A terminal that knows this shows the frame at once; others ignore it.
const BEGIN_FRAME: &str = "\x1b[?2026h";
const END_FRAME: &str = "\x1b[0m\x1b[J\x1b[?2026l";

/// The screen. Dropping it gives the terminal back as it was.
#[derive(Debug)]
pub(crate) struct Screen {
    terminal: bool,
    colours: bool,
    entered: bool,
    next: Instant,
}

impl Screen {
    /// Standard output, whatever it is.
    pub(crate) fn new() -> Self {
        let terminal = io::stdout().is_terminal();
        Self {
            terminal,
            colours: terminal && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()),
            entered: false,
            next: Instant::now(),
        }
    }

    /// Writes a line that stays: what is being started, what has happened, the result.
    pub(crate) fn say(&mut self, line: &str) {
        self.leave();
        write(&format!("{line}\n"));
    }

    /// Something has happened that the next frames show; plain output has to say it.
    pub(crate) fn note(&self, line: &str) {
        if !self.terminal {
            write(&format!("{line}\n"));
        }
    }

    /// Whether a frame is due.
    pub(crate) fn is_due(&self) -> bool {
        Instant::now() >= self.next
    }

    /// Shows a frame.
    pub(crate) fn show(&mut self, frame: &Frame) {
        if !self.terminal {
            self.next = Instant::now() + PLAIN_PAUSE;
            write(&format!("{}\n", frame.line()));
            return;
        }
        self.next = Instant::now() + FRAME_PAUSE;
        let mut text = String::new();
        if !self.entered {
            self.entered = true;
            text.push_str(ENTER);
        }
        text.push_str(BEGIN_FRAME);
        for (row, line) in frame.lines(self.colours).iter().enumerate() {
            // By its row, so that a low terminal does not scroll.
            for part in [&format!("\x1b[{};1H", row + 1), line, "\x1b[K"] {
                text.push_str(part);
            }
        }
        text.push_str(END_FRAME);
        write(&text);
    }

    /// Gives the terminal back, with a last frame that stays.
    pub(crate) fn finish(&mut self, frame: &Frame) {
        if self.entered {
            self.leave();
            for line in frame.lines(self.colours) {
                write(&format!("{line}\n"));
            }
        } else {
            write(&format!("{}\n", frame.line()));
        }
    }

    fn leave(&mut self) {
        if self.entered {
            self.entered = false;
            write(LEAVE);
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Whoever has closed the output does not want to see more; the comparison goes on.
fn write(text: &str) {
    let mut output = io::stdout().lock();
    let _ = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
}
