//! What a plain scalar is: `PyYAML`'s resolver and constructors (yaml/resolver.py,
//! yaml/constructor.py), which follow <https://yaml.org/type/>.

use super::Value;

/// What a scalar without quotes and without a tag is.
pub(super) fn plain(text: &str) -> Value {
    if let Some(value) = word(text) {
        return value;
    }
    // A number begins with one of these; most text does not.
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) {
        return Value::Str(text.to_owned());
    }
    int(text)
        .map(Value::Int)
        .or_else(|| float(text).map(Value::Float))
        .unwrap_or_else(|| Value::Str(text.to_owned()))
}

/// Words that are no text.
fn word(text: &str) -> Option<Value> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        _ => Value::Bool(bool(text)?),
    })
}

/// A boolean. `y` and `n` are none, whatever the specification says.
pub(super) fn bool(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// A whole number: decimal, `0b`, octal by a leading zero, `0x`, or base 60.
pub(super) fn int(text: &str) -> Option<i64> {
    let (negative, digits) = signed(text);
    let magnitude = if digits.contains(':') {
        base_60(digits)?
    } else if let Some(binary) = digits.strip_prefix("0b") {
        radix(binary, 2)?
    } else if let Some(hexadecimal) = digits.strip_prefix("0x") {
        radix(hexadecimal, 16)?
    } else if digits.len() > 1 && digits.starts_with('0') {
        // With the zero: of "0_" nothing else is left.
        radix(digits, 8)?
    } else if digits.starts_with(|c: char| c.is_ascii_digit()) {
        radix(digits, 10)?
    } else {
        return None;
    };
    Some(if negative { -magnitude } else { magnitude })
}

fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn radix(digits: &str, radix: u32) -> Option<i64> {
    if digits.starts_with(['+', '-']) {
        return None;
    }
    if digits.contains('_') {
        return i64::from_str_radix(&digits.replace('_', ""), radix).ok();
    }
    i64::from_str_radix(digits, radix).ok()
}

/// `[1-9][0-9_]*(:[0-5]?[0-9])+`
fn base_60(digits: &str) -> Option<i64> {
    let mut parts = digits.split(':');
    let first = parts.next()?;
    if !first.starts_with(|c: char| matches!(c, '1'..='9')) {
        return None;
    }
    let mut sum = radix(first, 10)?;
    for part in parts {
        let fits = part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        let digit: i64 = part.parse().ok().filter(|digit| fits && *digit < 60)?;
        sum = sum.checked_mul(60)?.checked_add(digit)?;
    }
    Some(sum)
}

/// A number with a point; an exponent must have a sign (`1.0e+3`), and base 60 exists here too.
pub(super) fn float(text: &str) -> Option<f64> {
    let (negative, digits) = signed(text);
    let magnitude = match digits {
        ".inf" | ".Inf" | ".INF" => f64::INFINITY,
        ".nan" | ".NaN" | ".NAN" => return (digits == text).then_some(f64::NAN),
        // "-.5" is text.
        _ if digits.starts_with('.') && digits != text => return None,
        _ => finite(digits)?,
    };
    Some(if negative { -magnitude } else { magnitude })
}

fn finite(digits: &str) -> Option<f64> {
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let is_number = |c: char| c.is_ascii_digit() || c == '_';
    let (whole, fraction) = mantissa.split_once('.')?;
    if let Some(exponent) = exponent {
        let number = exponent.strip_prefix(['+', '-'])?;
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
    } else if whole.contains(':') {
        return base_60_float(whole, fraction);
    }
    let begins = if whole.is_empty() { fraction } else { whole };
    let fits = begins.starts_with(|c: char| c.is_ascii_digit())
        && whole.chars().all(is_number)
        && fraction.chars().all(is_number);
    if !fits {
        return None;
    }
    digits.replace('_', "").parse().ok()
}

/// `[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*`
fn base_60_float(whole: &str, fraction: &str) -> Option<f64> {
    let mut sum = 0.0;
    for (at, part) in whole.split(':').enumerate() {
        let digits = if at == 0 { part.replace('_', "") } else { part.to_owned() };
        let fits = at == 0 || digits.len() <= 2;
        let digit: u32 = digits.parse().ok().filter(|digit| fits && (at == 0 || *digit < 60))?;
        sum = sum * 60.0 + f64::from(digit);
    }
    let fraction: f64 = format!("0.{}", fraction.replace('_', "")).parse().ok()?;
    Some(sum + fraction)
}
