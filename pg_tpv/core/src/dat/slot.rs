//! The bytes of a field, and how a value is put into them.

/// The bytes of a field: how many, which side the value is on, and what fills the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub length: usize,
    pub align: Align,
    pub pad: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// Where the sign of a number goes; always inside the field's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Forbid,
    Leading,
    LeadingFlag(Marks),
    Trailing(Marks),
    Overpunch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    pub positive: u8,
    pub negative: u8,
}

impl Marks {
    pub(super) fn of(self, negative: bool) -> u8 {
        if negative { self.negative } else { self.positive }
    }
}

/// Appends `bytes`, padded to the slot's length; nothing is ever cut here.
pub(super) fn place(bytes: &[u8], slot: Slot, out: &mut Vec<u8>) {
    let padding = std::iter::repeat_n(slot.pad, slot.length.saturating_sub(bytes.len()));
    match slot.align {
        Align::Left => {
            out.extend_from_slice(bytes);
            out.extend(padding);
        }
        Align::Right => {
            out.extend(padding);
            out.extend_from_slice(bytes);
        }
    }
}
