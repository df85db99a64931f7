//! Text from strangers, shown safely.

use core::fmt::{self, Write};

/// A text that a stranger wrote. Its display cannot forge a line, a log entry or a reading direction: control, format,
/// separator and private characters come out as U+FFFD. The text itself is there too.
///
/// ```
/// use bolt12::field::UntrustedText;
/// let text = UntrustedText::new("pay\n\u{202e}me");
/// assert_eq!(text.to_string(), "pay\u{fffd}\u{fffd}me");
/// assert_eq!(text.as_str(), "pay\n\u{202e}me");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UntrustedText<'a>(&'a str);

impl<'a> UntrustedText<'a> {
    /// Marks `text` as written by a stranger.
    pub const fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// The text as it was written, for comparing and storing, not for showing.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }
}

impl fmt::Display for UntrustedText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| {
            f.write_char(if is_unsafe(character) { char::REPLACEMENT_CHARACTER } else { character })
        })
    }
}

impl PartialEq<str> for UntrustedText<'_> {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for UntrustedText<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

/// Unicode 16: categories Cc (control), Cf (format), Zl and Zp (separators), Co (private use), and noncharacters.
pub(crate) fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
            | '\u{8e2}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}')
        || u32::from(character) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn what_can_forge_is_replaced() {
        for character in [
            '\0',
            '\t',
            '\n',
            '\r',
            '\u{1b}',
            '\u{7f}',
            '\u{85}', // control
            '\u{ad}',
            '\u{61c}',
            '\u{200b}',
            '\u{200e}',
            '\u{202e}',
            '\u{2066}',
            '\u{feff}',
            '\u{e0041}', // format
            '\u{2028}',
            '\u{2029}', // separators
            '\u{e000}',
            '\u{f0000}',
            '\u{10fffd}', // private use
            '\u{fdd0}',
            '\u{fffe}',
            '\u{ffff}',
            '\u{1fffe}',
            '\u{10ffff}', // no characters
        ] {
            let text = character.to_string();
            assert_eq!(UntrustedText::new(&text).to_string(), "\u{fffd}", "{character:?}");
            assert_eq!(UntrustedText::new(&text), text.as_str());
        }
    }

    #[test]
    fn what_can_be_read_is_kept() {
        for text in [
            "",
            " ~",
            "caf\u{e9}",
            "\u{5e9}\u{5dc}\u{5d5}\u{5dd}",
            "\u{65e5}\u{672c}",
            "\u{1f600}",
            "e\u{301}",
            "\u{a0}\u{3000}\u{fffd}",
        ] {
            assert_eq!(UntrustedText::new(text).to_string(), text);
        }
    }
}
