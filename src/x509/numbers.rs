//! Numbers and bytes as values.

use crate::value::Value;
use std::fmt::Write;

/// A whole number from its bytes, the highest first.
pub(super) fn whole(bytes: &[u8]) -> Value {
    let bytes: Vec<u8> = bytes
        .iter()
        .copied()
        .skip_while(|byte| *byte == 0)
        .collect();
    if bytes.len() < 8 {
        let number = bytes
            .iter()
            .fold(0_i64, |sum, byte| sum << 8 | i64::from(*byte));
        return Value::from(number);
    }
    // digits in groups of nine, the lowest first
    let mut groups: Vec<u64> = vec![0];
    for byte in bytes {
        let mut carry = u64::from(byte);
        for group in &mut groups {
            let value = *group * 256 + carry;
            *group = value % 1_000_000_000;
            carry = value / 1_000_000_000;
        }
        if carry > 0 {
            groups.push(carry);
        }
    }
    let mut text = groups.pop().unwrap_or_default().to_string();
    for group in groups.iter().rev() {
        let _ = write!(text, "{group:09}");
    }
    match text.parse::<i64>() {
        Ok(number) => Value::from(number),
        Err(_) => Value::data(text),
    }
}

/// `0a:ff`.
pub(super) fn colons(bytes: &[u8]) -> Value {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Value::data(pairs.join(":"))
}

#[cfg(test)]
mod tests {
    use super::whole;
    use crate::value::Value;

    #[test]
    fn numbers_of_any_length() {
        assert_eq!(whole(&[0, 1, 0]), Value::from(256));
        assert_eq!(whole(&[]), Value::from(0));
        assert_eq!(
            whole(&[0x7f, 255, 255, 255, 255, 255, 255, 255]),
            Value::from(i64::MAX)
        );
        // 2^128 + 1
        let mut bytes = vec![1];
        bytes.extend([0; 15]);
        bytes.push(1);
        assert_eq!(
            whole(&bytes),
            Value::data("340282366920938463463374607431768211457")
        );
    }
}
