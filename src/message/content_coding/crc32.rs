//! The CRC-32 of gzip.

/// Continues the CRC-32 of earlier bytes, 0 where there are none, with `bytes`: one table of 1 KB, a byte at a time.
pub(crate) fn crc32(before: u32, bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let (mut table, mut index) = ([0; 256], 0);
        while index < 256 {
            let (mut value, mut bit) = (index as u32, 0);
            while bit < 8 {
                value = if value & 1 == 1 { value >> 1 ^ 0xEDB8_8320 } else { value >> 1 };
                bit += 1;
            }
            table[index] = value;
            index += 1;
        }
        table
    };
    !bytes.iter().fold(!before, |crc, byte| crc >> 8 ^ TABLE[usize::from(crc as u8 ^ byte)])
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn the_checksum_is_that_of_zlib() {
        for (bytes, expected) in [("", 0), ("123456789", 0xCBF4_3926), ("hello", 0x3610_A686)] {
            assert_eq!(crc32(0, bytes.as_bytes()), expected, "{bytes}");
        }
        assert_eq!(crc32(crc32(0, b"1234"), b"56789"), 0xCBF4_3926);
    }
}
