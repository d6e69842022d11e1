//! Values to bytes, always in the shortest form.

use crate::Value;

pub(crate) fn value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Nil => out.push(0xc0),
        Value::Bool(value) => out.push(if *value { 0xc3 } else { 0xc2 }),
        Value::Int(number) => int(out, *number),
        Value::Float(number) => {
            out.push(0xcb);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Value::Text(text) => {
            length(out, text.len(), Some((0xa0, 32)), [Some(0xd9), Some(0xda), Some(0xdb)]);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Bytes(bytes) => {
            length(out, bytes.len(), None, [Some(0xc4), Some(0xc5), Some(0xc6)]);
            out.extend_from_slice(bytes);
        }
        Value::Array(items) => {
            length(out, items.len(), Some((0x90, 16)), [None, Some(0xdc), Some(0xdd)]);
            items.iter().for_each(|item| self::value(out, item));
        }
        Value::Map(pairs) => {
            length(out, pairs.len(), Some((0x80, 16)), [None, Some(0xde), Some(0xdf)]);
            for (key, item) in pairs {
                self::value(out, key);
                self::value(out, item);
            }
        }
    }
}

/// A marker and a length in 4 (5) bits, or in 1, 2 or 4 bytes.
fn length(out: &mut Vec<u8>, count: usize, fixed: Option<(u8, usize)>, markers: [Option<u8>; 3]) {
    let small = u8::try_from(count).ok();
    match (fixed, small, markers) {
        (Some((marker, below)), Some(small), _) if count < below => out.push(marker | small),
        (_, Some(small), [Some(marker), ..]) => out.extend_from_slice(&[marker, small]),
        (_, _, [_, two, four]) => match (u16::try_from(count), two, four) {
            (Ok(count), Some(marker), _) => {
                out.push(marker);
                out.extend_from_slice(&count.to_be_bytes());
            }
            (_, _, marker) => {
                out.extend(marker);
                // Four gigabytes do not fit the memory this runs in, let alone the limits of a frame.
                out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
            }
        },
    }
}

fn int(out: &mut Vec<u8>, number: i64) {
    if let Ok(small) = i8::try_from(number)
        && small >= -32
    {
        out.extend_from_slice(&small.to_be_bytes());
    } else if let Ok(number) = u8::try_from(number) {
        out.extend_from_slice(&[0xcc, number]);
    } else if let Ok(number) = u16::try_from(number) {
        out.push(0xcd);
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(number) = u32::try_from(number) {
        out.push(0xce);
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(number) = u64::try_from(number) {
        out.push(0xcf);
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(number) = i8::try_from(number) {
        out.push(0xd0);
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(number) = i16::try_from(number) {
        out.push(0xd1);
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(number) = i32::try_from(number) {
        out.push(0xd2);
        out.extend_from_slice(&number.to_be_bytes());
    } else {
        out.push(0xd3);
        out.extend_from_slice(&number.to_be_bytes());
    }
}
