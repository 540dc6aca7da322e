"""What the program needs from the machine: files, processes, devices, memory. No robots here."""
