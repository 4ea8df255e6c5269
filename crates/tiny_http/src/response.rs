//! Answers as objects: status, fields, and a reader for the body.

use crate::header::Header;
use crate::status::StatusCode;
use std::io::{self, Cursor, Read};
use std::sync::mpsc::Receiver;

/// An answer whose body comes from the reader `R`. Any thread of the server reads it, as the client takes it. A reader that
/// waits blocks that thread.
pub struct Response<R> {
    status: StatusCode,
    headers: Vec<Header>,
    reader: R,
    length: Option<usize>,
}

impl<R: Read> Response<R> {
    /// Returns an answer whose body comes from `reader`. Without a `length` in bytes the body is chunked. `trailers` are
    /// ignored: this engine sends none.
    pub fn new(
        status: StatusCode,
        headers: Vec<Header>,
        reader: R,
        length: Option<usize>,
        trailers: Option<Receiver<Header>>,
    ) -> Response<R> {
        drop(trailers);
        let mut response = Response { status, headers: Vec::with_capacity(headers.len()), reader, length };
        headers.into_iter().for_each(|header| response.add_header(header));
        response
    }

    /// Adds a field. Fields of the connection (`Connection`, `Transfer-Encoding`, ...) are not sent. `Content-Length` sets the
    /// length of the body. A second `Content-Type` replaces the first.
    pub fn add_header<H: Into<Header>>(&mut self, header: H) {
        let header = header.into();
        if header.field.equiv("Content-Length") {
            self.length = header.value.as_str().parse().ok().or(self.length);
        } else if header.field.equiv("Content-Type") {
            match self.headers.iter_mut().find(|known| known.field == header.field) {
                Some(known) => known.value = header.value,
                None => self.headers.push(header),
            }
        } else {
            self.headers.push(header);
        }
    }

    /// Returns the answer with another status.
    #[must_use]
    pub fn with_status_code<S: Into<StatusCode>>(mut self, status: S) -> Response<R> {
        self.status = status.into();
        self
    }

    /// Returns the status.
    pub fn status_code(&self) -> StatusCode {
        self.status
    }

    /// Returns the length of the body in bytes, if it is known.
    pub fn data_length(&self) -> Option<usize> {
        self.length
    }

    pub(crate) fn into_parts(self) -> (Vec<Header>, R) {
        (self.headers, self.reader)
    }
}

impl Response<Cursor<Vec<u8>>> {
    /// Returns 200 with `data`.
    pub fn from_data<D: Into<Vec<u8>>>(data: D) -> Response<Cursor<Vec<u8>>> {
        let data = data.into();
        let length = Some(data.len());
        Response { status: StatusCode(200), headers: Vec::new(), reader: Cursor::new(data), length }
    }

    /// Returns 200 with `text` as plain text in UTF-8.
    pub fn from_string<S: Into<String>>(text: S) -> Response<Cursor<Vec<u8>>> {
        let mut response = Response::from_data(text.into());
        // Name and value are valid.
        response.headers.extend(Header::from_bytes("Content-Type", "text/plain; charset=UTF-8"));
        response
    }
}

impl Response<io::Empty> {
    /// Returns an answer without a body.
    pub fn empty<S: Into<StatusCode>>(status: S) -> Response<io::Empty> {
        Response { status: status.into(), headers: Vec::new(), reader: io::empty(), length: Some(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_about_the_body_change_the_answer() {
        let mut response = Response::from_string("abc").with_status_code(404);
        for (name, value) in
            [("Content-Type", "a"), ("Set-Cookie", "a"), ("Set-Cookie", "b"), ("Content-Length", "2")]
        {
            response.add_header(Header::from_bytes(name, value).unwrap());
        }
        let fields: Vec<_> =
            response.headers.iter().map(|header| (header.field.as_str(), header.value.as_str())).collect();
        assert_eq!(fields, [("Content-Type", "a"), ("Set-Cookie", "a"), ("Set-Cookie", "b")]);
        assert_eq!((response.status_code(), response.data_length()), (StatusCode(404), Some(2)));
    }
}
