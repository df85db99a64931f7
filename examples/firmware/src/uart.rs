//! A serial port of the board: the UART of Arm's Cortex-M System Design Kit.

use core::fmt;
use core::ptr::{read_volatile, write_volatile};

/// One port. It sends and receives byte by byte and waits for both.
pub(crate) struct Uart {
    base: usize,
}

impl Uart {
    /// The wire to the host.
    pub(crate) const WIRE: usize = 0x4000_4000;
    /// The display and the button.
    pub(crate) const CONSOLE: usize = 0x4000_5000;

    /// Switches the port at `base` on.
    ///
    /// # Safety
    ///
    /// `base` is the address of such a port, and there is one `Uart` for it.
    pub(crate) unsafe fn new(base: usize) -> Self {
        let mut uart = Self { base };
        uart.write(BAUD_DIVIDER, 16);
        uart.write(CONTROL, SEND_ENABLE | RECEIVE_ENABLE);
        uart
    }

    /// Waits for a byte.
    pub(crate) fn receive(&mut self) -> u8 {
        while self.read(STATE) & RECEIVE_FULL == 0 {}
        self.read(DATA).to_le_bytes()[0]
    }

    /// Sends a byte.
    pub(crate) fn send(&mut self, byte: u8) {
        while self.read(STATE) & SEND_FULL != 0 {}
        self.write(DATA, byte.into());
    }

    /// Sends all of them.
    pub(crate) fn send_all(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.send(*byte));
    }

    fn read(&self, register: usize) -> u32 {
        // SAFETY: `new` requires that the registers of a port are here.
        unsafe { read_volatile((self.base + register) as *const u32) }
    }

    fn write(&mut self, register: usize, value: u32) {
        // SAFETY: as above.
        unsafe { write_volatile((self.base + register) as *mut u32, value) }
    }
}

impl fmt::Write for Uart {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.send_all(text.as_bytes());
        Ok(())
    }
}

// The registers, by their distance from the first, and their bits.
const DATA: usize = 0x0;
const STATE: usize = 0x4;
const CONTROL: usize = 0x8;
const BAUD_DIVIDER: usize = 0x10;
const SEND_FULL: u32 = 1 << 0;
const RECEIVE_FULL: u32 = 1 << 1;
const SEND_ENABLE: u32 = 1 << 0;
const RECEIVE_ENABLE: u32 = 1 << 1;
