"""Commands that read or mend the ledger."""
