//! PLACEHOLDER of branch `admin`: the real file comes from the lead.
#![allow(missing_docs)]

pub struct WaitId;
