"""What we say to the outside: webhooks, mail. No SQL, no settings; addresses and limits are handed in."""
