//! Compresses a body chunk by chunk.
//!
//! The levels are for bytes that are compressed while a viewer waits; the work is done on the worker's thread, a
//! chunk of at most 64 KiB at a time.

use std::io::{self, Write as _};

use brotli::enc::backward_references::BrotliEncoderParams;
use bytes::Bytes;

use super::coding::Coding;

const GZIP_LEVEL: u32 = 6;
const BROTLI_QUALITY: i32 = 5;
const ZSTD_LEVEL: i32 = 3;
/// 512 KiB, whatever the length: what one response holds in memory is bounded by a few times that.
const WINDOW_BITS: u32 = 19;

/// One body on its way.
pub(crate) struct Encoder(Inner);

enum Inner {
    Brotli(Box<brotli::CompressorWriter<Vec<u8>>>),
    Gzip(flate2::write::GzEncoder<Vec<u8>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Encoder")
    }
}

impl Encoder {
    /// For a body of that length.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub(crate) fn new(coding: Coding, length: u64) -> io::Result<Self> {
        Ok(Self(match coding {
            Coding::Brotli => Inner::Brotli(Box::new(brotli(length))),
            Coding::Gzip => Inner::Gzip(flate2::write::GzEncoder::new(
                Vec::new(),
                flate2::Compression::new(GZIP_LEVEL),
            )),
            Coding::Zstd => Inner::Zstd(zstandard(length)?),
        }))
    }

    /// Takes a chunk; gives what is ready to be sent, often nothing.
    ///
    /// # Errors
    /// When the body cannot be compressed on: it then has to be cut off.
    pub(crate) fn encode(&mut self, chunk: &[u8]) -> io::Result<Bytes> {
        let ready = match &mut self.0 {
            Inner::Brotli(encoder) => {
                encoder.write_all(chunk)?;
                std::mem::take(encoder.get_mut())
            }
            Inner::Gzip(encoder) => {
                encoder.write_all(chunk)?;
                std::mem::take(encoder.get_mut())
            }
            Inner::Zstd(encoder) => {
                encoder.write_all(chunk)?;
                std::mem::take(encoder.get_mut())
            }
        };
        Ok(ready.into())
    }

    /// What is left at the body's end.
    ///
    /// # Errors
    /// When the body was not as long as announced.
    pub(crate) fn finish(self) -> io::Result<Bytes> {
        Ok(match self.0 {
            Inner::Brotli(encoder) => encoder.into_inner(),
            Inner::Gzip(encoder) => encoder.finish()?,
            Inner::Zstd(encoder) => encoder.finish()?,
        }
        .into())
    }
}

fn brotli(length: u64) -> brotli::CompressorWriter<Vec<u8>> {
    let params = BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        lgwin: i32::try_from(window_bits(length)).unwrap_or(18),
        size_hint: usize::try_from(length).unwrap_or_default(),
        ..BrotliEncoderParams::default()
    };
    brotli::CompressorWriter::with_params(Vec::new(), 4096, &params)
}

fn zstandard(length: u64) -> io::Result<zstd::stream::write::Encoder<'static, Vec<u8>>> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
    encoder.set_pledged_src_size(Some(length))?;
    encoder.window_log(window_bits(length))?;
    Ok(encoder)
}

/// Room for the whole body, within the bounds.
fn window_bits(length: u64) -> u32 {
    (length.max(2) - 1).ilog2().saturating_add(1).clamp(16, WINDOW_BITS)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Read as _;

    use super::*;

    pub(crate) fn decode(coding: Coding, encoded: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        match coding {
            Coding::Brotli => {
                brotli::Decompressor::new(encoded, 4096)
                    .read_to_end(&mut plain)
                    .unwrap();
            }
            Coding::Gzip => {
                flate2::read::GzDecoder::new(encoded).read_to_end(&mut plain).unwrap();
            }
            Coding::Zstd => plain = zstd::decode_all(encoded).unwrap(),
        }
        plain
    }

    fn encode(coding: Coding, body: &[u8], chunk: usize) -> Vec<u8> {
        let mut encoder = Encoder::new(coding, body.len() as u64).unwrap();
        let mut encoded = Vec::new();
        for chunk in body.chunks(chunk) {
            encoded.extend(encoder.encode(chunk).unwrap());
        }
        encoded.extend(encoder.finish().unwrap());
        encoded
    }

    #[test]
    fn every_coding_gives_the_body_back_however_it_is_cut() {
        let body: Vec<u8> = (0..200_000u32).flat_map(|n| (n / 7).to_string().into_bytes()).collect();
        for coding in [Coding::Brotli, Coding::Zstd, Coding::Gzip] {
            for chunk in [1000, 65_536, body.len()] {
                let encoded = encode(coding, &body, chunk);
                assert!(encoded.len() < body.len() / 2, "{coding:?}: {}", encoded.len());
                assert!(decode(coding, &encoded) == body, "{coding:?} in chunks of {chunk}");
            }
        }
    }

    #[test]
    fn an_empty_body_is_still_a_valid_one() {
        for coding in [Coding::Brotli, Coding::Zstd, Coding::Gzip] {
            assert_eq!(decode(coding, &encode(coding, b"", 1)), b"");
        }
    }

    #[test]
    fn the_window_fits_the_body_within_bounds() {
        for (length, bits) in [
            (0, 16),
            (1000, 16),
            (65_536, 16),
            (65_537, 17),
            (400_000, 19),
            (10_000_000, 19),
        ] {
            assert_eq!(window_bits(length), bits, "{length}");
        }
    }
}
