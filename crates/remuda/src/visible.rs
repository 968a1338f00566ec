//! Workers' text made harmless for a terminal: colours stay, everything else that steers a terminal goes.

/// `text` without control characters but tabs and SGR sequences (`ESC [ … m`). Colours do not run into the next line.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    let mut coloured = false;
    while let Some(character) = characters.next() {
        match character {
            '\x1b' => {
                if let Some(colour) = escape(&mut characters) {
                    coloured = true;
                    out.push_str(&colour);
                }
            }
            // The single-character forms of the string introducers, ended like theirs.
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => string(&mut characters),
            '\u{9b}' => drop(sequence(&mut characters)),
            '\t' => out.push('\t'),
            character if character.is_control() => {}
            character => out.push(character),
        }
    }
    if coloured {
        out.push_str("\x1b[0m");
    }
    out
}

/// What follows an escape; the whole of it when it is a colour.
fn escape(characters: &mut std::str::Chars<'_>) -> Option<String> {
    match characters.next()? {
        '[' => sequence(characters)
            .filter(|parameters| colour(parameters))
            .map(|parameters| format!("\x1b[{parameters}")),
        ']' | 'P' | 'X' | '^' | '_' => {
            string(characters);
            None
        }
        // Intermediate bytes, then a final one.
        ' '..='/' => {
            let _final = characters.find(|character| !matches!(character, ' '..='/'));
            None
        }
        _ => None,
    }
}

/// Parameters and final character of a control sequence.
fn sequence(characters: &mut std::str::Chars<'_>) -> Option<String> {
    let mut parameters = String::new();
    for character in characters.by_ref() {
        parameters.push(character);
        match character {
            ' '..='?' => {}
            '@'..='~' => return Some(parameters),
            _ => return None,
        }
    }
    None
}

fn colour(parameters: &str) -> bool {
    parameters
        .strip_suffix('m')
        .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit() || b";:".contains(&byte)))
}

/// Skips a string up to its end: BEL, or ESC and a backslash.
fn string(characters: &mut std::str::Chars<'_>) {
    while let Some(character) = characters.next() {
        match character {
            '\x07' | '\u{9c}' => return,
            '\x1b' => {
                characters.next();
                return;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
