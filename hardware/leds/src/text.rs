//! Text as the sketch's font knows it.

/// Longest text the sketch takes.
pub const TEXT_MAX: usize = 64;
/// Where the sketch's font has the euro sign.
const EURO: char = '\u{7f}';

/// Upper case, umlauts spelt out, accents dropped, what the font lacks as a blank; cut with a full stop.
#[must_use]
pub fn transliterated(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            'ä' | 'Ä' => out.push_str("AE"),
            'ö' | 'Ö' => out.push_str("OE"),
            'ü' | 'Ü' => out.push_str("UE"),
            'ß' => out.push_str("SS"),
            '€' => out.push(EURO),
            _ => out.push(one(letter)),
        }
        if out.len() > TEXT_MAX {
            out.truncate(TEXT_MAX - 1);
            out.push('.');
            break;
        }
    }
    out
}

fn one(letter: char) -> char {
    let plain = match letter {
        'á' | 'à' | 'â' | 'ã' | 'å' => 'A',
        'é' | 'è' | 'ê' | 'ë' => 'E',
        'í' | 'ì' | 'î' | 'ï' => 'I',
        'ó' | 'ò' | 'ô' | 'õ' => 'O',
        'ú' | 'ù' | 'û' => 'U',
        'ñ' => 'N',
        'ç' => 'C',
        'š' => 'S',
        'ž' => 'Z',
        '–' | '—' | '−' => '-',
        '’' => '\'',
        other => other.to_ascii_uppercase(),
    };
    let known = plain.is_ascii_alphanumeric() || " !$%()*+,-./:=?_<>'&".contains(plain);
    if known { plain } else { ' ' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_become_what_the_font_has() {
        for (text, expected) in [
            ("Buy 3 Rhône", "BUY 3 RHONE"),
            ("größer", "GROESSER"),
            ("€ 12 345 – ok", "\u{7f} 12 345 - OK"),
            ("日本 \u{7f}", "    "),
            ("", ""),
        ] {
            assert_eq!(transliterated(text), expected);
        }
    }

    #[test]
    fn a_text_at_the_limit_stays_whole_and_a_longer_one_is_cut() {
        assert_eq!(transliterated(&"x".repeat(64)), "X".repeat(64));
        assert_eq!(transliterated(&"x".repeat(65)), "X".repeat(63) + ".");
        assert_eq!(transliterated(&("x".repeat(63) + "ä")).len(), 64);
    }
}
