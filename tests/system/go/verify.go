// Checks a log that busgate wrote with Go's own packages for signed notes and transparency logs. They share no line
// with busgate, so that what both agree on is the format and not a habit.
//
// usage: verify FOLDER, which holds: log.vkey, checkpoint, old (an earlier checkpoint), entries (u16 length and bytes
// each), inclusion (an index, then hashes), consistency (hashes); hashes in base64, one a line.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if err := verify(os.Args[1]); err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
}

func verify(folder string) error {
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			panic(err)
		}
		return string(data)
	}
	key, err := note.NewVerifier(strings.TrimSpace(read("log.vkey")))
	if err != nil {
		return fmt.Errorf("the key: %w", err)
	}
	size, root, err := open(read("checkpoint"), key)
	if err != nil {
		return fmt.Errorf("the checkpoint: %w", err)
	}
	oldSize, oldRoot, err := open(read("old"), key)
	if err != nil {
		return fmt.Errorf("the old checkpoint: %w", err)
	}
	records, err := split(read("entries"))
	if err != nil {
		return fmt.Errorf("the entries: %w", err)
	}
	if int64(len(records)) != size {
		return fmt.Errorf("the checkpoint is of %d records, here are %d", size, len(records))
	}
	whole, err := treeHash(records)
	if err != nil {
		return err
	}
	if whole != root {
		return fmt.Errorf("the records have the root %v, signed was %v", whole, root)
	}
	lines := strings.Fields(read("inclusion"))
	index, err := strconv.ParseInt(lines[0], 10, 64)
	if err != nil {
		return err
	}
	proof, err := hashes(lines[1:])
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(proof, size, root, index, tlog.RecordHash(records[index])); err != nil {
		return fmt.Errorf("record %d: %w", index, err)
	}
	consistency, err := hashes(strings.Fields(read("consistency")))
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(consistency, size, root, oldSize, oldRoot); err != nil {
		return fmt.Errorf("from %d to %d records: %w", oldSize, size, err)
	}
	fmt.Printf("verified %s %d %v\n", key.Name(), size, root)
	return nil
}

// open checks a checkpoint's signature and reads its origin, size and root (c2sp.org/tlog-checkpoint).
func open(text string, key note.Verifier) (int64, tlog.Hash, error) {
	opened, err := note.Open([]byte(text), note.VerifierList(key))
	if err != nil {
		return 0, tlog.Hash{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != key.Name() {
		return 0, tlog.Hash{}, fmt.Errorf("%q is no checkpoint of %s", opened.Text, key.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return 0, tlog.Hash{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return size, root, err
}

func split(data string) ([][]byte, error) {
	var records [][]byte
	for rest := []byte(data); len(rest) > 0; {
		if len(rest) < 2 || len(rest) < 2+int(binary.BigEndian.Uint16(rest)) {
			return nil, fmt.Errorf("cut within record %d", len(records))
		}
		end := 2 + int(binary.BigEndian.Uint16(rest))
		records = append(records, rest[2:end])
		rest = rest[end:]
	}
	return records, nil
}

func treeHash(records [][]byte) (tlog.Hash, error) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, 0, len(indexes))
		for _, index := range indexes {
			found = append(found, stored[index])
		}
		return found, nil
	})
	for index, record := range records {
		more, err := tlog.StoredHashes(int64(index), record, reader)
		if err != nil {
			return tlog.Hash{}, err
		}
		stored = append(stored, more...)
	}
	return tlog.TreeHash(int64(len(records)), reader)
}

func hashes(lines []string) ([]tlog.Hash, error) {
	var all []tlog.Hash
	for _, line := range lines {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		all = append(all, hash)
	}
	return all, nil
}
