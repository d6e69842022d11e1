//! Makes foreign text fit for logs and errors: short, printable, without addresses or long numbers.

/// Longest excerpt of a refused reply that is kept.
pub const EXCERPT_CHARS_MAX: usize = 512;
/// Longest error text of the broker that is kept.
pub const TEXT_CHARS_MAX: usize = 200;
/// A word of letters and digits from this length on may be a key: no price, number of ours or ISIN is as long.
const KEY_CHARS_MIN: usize = 16;
/// Runs of digits from this length on are hidden: account and order numbers are longer than prices.
const DIGITS_SHOWN_MAX: usize = 5;

/// Returns at most `chars_max` characters of `text` with control characters as blanks, words that
/// hold `@` and long runs of digits hidden.
pub fn redacted(text: &str, chars_max: usize) -> String {
    // Twice the limit is read so that hiding happens before cutting, without scanning megabytes.
    let head: String = text.chars().take(chars_max.saturating_mul(2)).collect();
    let shown = head.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let words: Vec<String> = shown.map(word_without_secrets).collect();
    words.join(" ").chars().take(chars_max).collect()
}

fn word_without_secrets(word: &str) -> String {
    if word.contains('@') || word.split(|c: char| !is_of_a_key(c)).any(may_be_a_key) {
        return "[hidden]".to_owned();
    }
    let mut shown = String::with_capacity(word.len());
    let mut digits = String::new();
    for character in word.chars() {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        push_digits(&mut shown, &mut digits);
        shown.push(character);
    }
    push_digits(&mut shown, &mut digits);
    shown
}

const fn is_of_a_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '/')
}

/// Long, with letters and digits: whoever echoes a credential must not have it repeated by us.
fn may_be_a_key(part: &str) -> bool {
    part.len() >= KEY_CHARS_MIN
        && part.chars().any(|c| c.is_ascii_digit())
        && part.chars().any(|c| c.is_ascii_alphabetic())
}

fn push_digits(shown: &mut String, digits: &mut String) {
    if digits.len() > DIGITS_SHOWN_MAX {
        shown.push('…');
    } else {
        shown.push_str(digits);
    }
    digits.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_addresses_and_long_numbers_and_keeps_the_rest() {
        let table = [
            ("Order of user@example.test refused", "Order of [hidden] refused"),
            ("limit 84.50 above 99999", "limit 84.50 above 99999"),
            ("account 123456 closed", "account … closed"),
            ("bad key sim-private-key-0001", "bad key [hidden]"),
            ("key=9f86d081884c7d659a2feaa0c55ad015,", "[hidden]"),
            (
                "security-session has expired for DE000SMX0015",
                "security-session has expired for DE000SMX0015",
            ),
            ("a\r\nb\u{7}c", "a b c"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(redacted(text, TEXT_CHARS_MAX), expected);
        }
    }

    #[test]
    fn cuts_long_text() {
        assert_eq!(redacted(&"é".repeat(5_000), 7).chars().count(), 7);
    }
}
