//! The values of a record as bytes.

use crate::message::latin1::readable;
use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

/// Writes values one after another. A value that finds no room only adds to `end`.
pub(super) struct Writer<'w> {
    out: &'w mut [u8],
    end: usize,
}

impl<'w> Writer<'w> {
    pub(super) fn new(out: &'w mut [u8]) -> Writer<'w> {
        Writer::at(out, 0)
    }

    /// Begins at `end`.
    pub(super) fn at(out: &'w mut [u8], end: usize) -> Writer<'w> {
        Writer { out, end }
    }

    pub(super) fn end(&self) -> usize {
        self.end
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let end = self.end + bytes.len();
        if let Some(place) = self.out.get_mut(self.end..end) {
            place.copy_from_slice(bytes);
        }
        self.end = end;
    }

    /// Writes seven bits per byte, the lowest first. The highest bit of a byte says that another byte follows.
    pub(super) fn number(&mut self, mut number: u64) {
        loop {
            let more = number >= 0x80;
            if let Some(place) = self.out.get_mut(self.end) {
                *place = number as u8 & 0x7f | u8::from(more) << 7;
            }
            self.end += 1;
            number >>= 7;
            if !more {
                return;
            }
        }
    }

    /// Writes the length plus one, and the text; 0 for `None`.
    pub(super) fn option(&mut self, text: Option<&str>) {
        let Some(text) = text else { return self.number(0) };
        self.number(text.len() as u64 + 1);
        self.bytes(text.as_bytes());
    }

    /// Writes the lengths of a field's name, plus one, and of its value. A list of fields ends with 0.
    pub(super) fn lengths(&mut self, (name, value): (usize, usize)) {
        self.number(name as u64 + 1);
        self.number(value as u64);
    }

    pub(super) fn peer(&mut self, peer: Option<SocketAddr>) {
        match peer.map(|peer| peer.ip()) {
            None => return self.number(0),
            Some(IpAddr::V4(ip)) => {
                self.number(4);
                self.bytes(&ip.octets());
            }
            Some(IpAddr::V6(ip)) => {
                self.number(6);
                self.bytes(&ip.octets());
            }
        }
        self.bytes(&peer.map_or(0, |peer| peer.port()).to_le_bytes());
    }
}

/// Reads the same values one after another.
pub(super) struct Reader<'r>(&'r [u8]);

impl<'r> Reader<'r> {
    pub(super) fn new(bytes: &'r [u8]) -> Reader<'r> {
        Reader(bytes)
    }

    pub(super) fn rest(&self) -> &'r [u8] {
        self.0
    }

    /// Reads a header value: decoded from UTF-8 where it is UTF-8, so that filters find what people write.
    pub(super) fn header(&mut self, length: u64) -> Option<String> {
        let value = self.string(length)?;
        match readable(&value) {
            Cow::Borrowed(_) => Some(value),
            Cow::Owned(decoded) => Some(decoded),
        }
    }

    pub(super) fn bytes(&mut self, count: u64) -> Option<&'r [u8]> {
        let (taken, left) = self.0.split_at_checked(usize::try_from(count).ok()?)?;
        self.0 = left;
        Some(taken)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.bytes(1)?.first().copied()
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(number);
            }
            shift += 7;
        }
    }

    /// Reads a number of four bytes.
    pub(super) fn length(&mut self) -> Option<u64> {
        Some(u32::from_le_bytes(*self.bytes(4)?.first_chunk()?).into())
    }

    pub(super) fn string(&mut self, length: u64) -> Option<String> {
        Some(String::from_utf8_lossy(self.bytes(length)?).into_owned())
    }

    pub(super) fn option(&mut self) -> Option<Option<String>> {
        Some(match self.number()?.checked_sub(1) {
            Some(length) => Some(self.string(length)?),
            None => None,
        })
    }

    /// Reads the lengths of the next field's name and value; `None` at the end of the list.
    pub(super) fn lengths(&mut self) -> Option<Option<(u64, u64)>> {
        Some(match self.number()?.checked_sub(1) {
            Some(name) => Some((name, self.number()?)),
            None => None,
        })
    }

    pub(super) fn peer(&mut self) -> Option<Option<SocketAddr>> {
        let address = match self.byte()? {
            4 => <[u8; 4]>::try_from(self.bytes(4)?).ok()?.into(),
            6 => <[u8; 16]>::try_from(self.bytes(16)?).ok()?.into(),
            _ => return Some(None),
        };
        let port = u16::from_le_bytes(self.bytes(2)?.try_into().ok()?);
        Some(Some(SocketAddr::new(address, port)))
    }
}
