// Rollway against franz-go: interop HOST:PORT. Prints TAP.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const count = 20000

var (
	broker string
	prefix string
	number int
	failed int
)

func test(name string, run func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	number++
	if err := run(ctx); err != nil {
		failed++
		fmt.Printf("not ok %d - %s\n# %v\n", number, name, err)
		return
	}
	fmt.Printf("ok %d - %s\n", number, name)
}

func client(opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(broker), kgo.AllowAutoTopicCreation()}, opts...)...)
}

func create(ctx context.Context, suffix string, partitions int32) (string, error) {
	cl, err := client()
	if err != nil {
		return "", err
	}
	defer cl.Close()
	name := prefix + "-" + suffix
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, partitions, 1
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics, req.TimeoutMillis = append(req.Topics, topic), 10000
	res, err := req.RequestWith(ctx, cl)
	if err != nil {
		return "", err
	}
	return name, kerr.ErrorForCode(res.Topics[0].ErrorCode)
}

func value(i int) string { return fmt.Sprintf("%d text again %d", i, i%13) }

// A new client makes a fetch session, with topic ids where the broker has them.
func read(ctx context.Context, topic string, partitions int32, wanted int) (map[string]int, error) {
	at := map[int32]kgo.Offset{}
	for p := int32(0); p < partitions; p++ {
		at[p] = kgo.NewOffset().AtStart()
	}
	cl, err := client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: at}), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	seen, next := map[string]int{}, map[int32]int64{}
	for n := 0; n < wanted; {
		fetches := cl.PollFetches(ctx)
		if errs := fetches.Errors(); len(errs) > 0 {
			return nil, fmt.Errorf("%d of %d read: %w", n, wanted, errs[0].Err)
		}
		var bad error
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset != next[r.Partition] {
				bad = fmt.Errorf("partition %d: offset %d instead of %d", r.Partition, r.Offset, next[r.Partition])
			}
			next[r.Partition] = r.Offset + 1
			seen[string(r.Value)]++
			n++
		})
		if bad != nil {
			return nil, bad
		}
	}
	return seen, nil
}

func codec(name string, codec kgo.CompressionCodec, opts ...kgo.Opt) func(context.Context) error {
	return func(ctx context.Context) error {
		topic, err := create(ctx, name, 3)
		if err != nil {
			return err
		}
		cl, err := client(append(opts, kgo.ProducerBatchCompression(codec), kgo.ProducerLinger(5*time.Millisecond))...)
		if err != nil {
			return err
		}
		defer cl.Close()
		errs := make(chan error, count)
		for i := 0; i < count; i++ {
			r := &kgo.Record{Topic: topic, Key: []byte(fmt.Sprint(i % 50)), Value: []byte(value(i))}
			cl.Produce(ctx, r, func(_ *kgo.Record, err error) { errs <- err })
		}
		for i := 0; i < count; i++ {
			if err := <-errs; err != nil {
				return err
			}
		}
		seen, err := read(ctx, topic, 3, count)
		if err != nil {
			return err
		}
		for i := 0; i < count; i++ {
			if seen[value(i)] != 1 {
				return fmt.Errorf("record %d came %d times", i, seen[value(i)])
			}
		}
		return nil
	}
}

func outOfRange(ctx context.Context) error {
	topic, err := create(ctx, "range", 1)
	if err != nil {
		return err
	}
	at := map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().At(1000)}}
	cl, err := client(kgo.ConsumePartitions(at), kgo.ConsumeResetOffset(kgo.NoResetOffset()))
	if err != nil {
		return err
	}
	defer cl.Close()
	fetches := cl.PollFetches(ctx)
	for _, e := range fetches.Errors() {
		if errors.Is(e.Err, kerr.OffsetOutOfRange) {
			return nil
		}
	}
	return fmt.Errorf("no OFFSET_OUT_OF_RANGE: %v", fetches.Errors())
}

func main() {
	broker = os.Args[1]
	prefix = fmt.Sprintf("it-franz-%d", time.Now().UnixMilli())
	test("none", codec("none", kgo.NoCompression()))
	test("gzip", codec("gzip", kgo.GzipCompression()))
	test("snappy", codec("snappy", kgo.SnappyCompression()))
	test("lz4", codec("lz4", kgo.Lz4Compression()))
	test("zstd", codec("zstd", kgo.ZstdCompression()))
	test("acks=1, not idempotent", codec("acks1", kgo.SnappyCompression(),
		kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite()))
	test("an offset beyond the end is out of range", outOfRange)
	fmt.Printf("1..%d\n", number)
	if failed > 0 {
		os.Exit(1)
	}
}
