"""The classic family: DNA, CDNA, STP, SNA and the flows of Visual Foresight."""
