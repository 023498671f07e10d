//! Small containers for snapshots' numbers, and a quick hash: the search makes tens of
//! millions of machines and keeps hundreds of thousands.

use std::hash::{BuildHasherDefault, Hasher};

/// Numbers from 0 to 7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Numbers(u8);

impl Numbers {
    pub fn insert(&mut self, number: u8) {
        self.0 |= 1 << number;
    }

    pub fn remove(&mut self, number: u8) {
        self.0 &= !(1 << number);
    }

    pub fn contains(self, number: u8) -> bool {
        self.0 & 1 << number != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Something for each of the numbers from 0 to 3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ByNumber<T>([Option<T>; 4]);

impl<T: Copy> ByNumber<T> {
    pub fn of(number: u8, value: T) -> Self {
        let mut all = Self([None; 4]);
        all.insert(number, value);
        all
    }

    pub fn insert(&mut self, number: u8, value: T) {
        self.0[usize::from(number)] = Some(value);
    }

    pub fn get(&self, number: u8) -> Option<T> {
        self.0[usize::from(number)]
    }

    pub fn contains(&self, number: u8) -> bool {
        self.get(number).is_some()
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u8, T)> {
        (0..4).filter_map(|number| Some((number, self.get(number)?)))
    }

    pub fn numbers(&self) -> impl DoubleEndedIterator<Item = u8> {
        self.iter().map(|(number, _)| number)
    }
}

/// For sets of machines. Nobody chooses them so that they collide.
pub type Quick = BuildHasherDefault<QuickHasher>;

/// Rotates, mixes in, multiplies, word by word.
#[derive(Default)]
pub struct QuickHasher(u64);

impl Hasher for QuickHasher {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_u8(&mut self, word: u8) {
        self.write_u64(word.into());
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(word.into());
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn finish(&self) -> u64 {
        // The table goes by the upper bits and by the lower ones.
        self.0 ^ self.0 >> 32
    }
}
