// Recordings as public sets have them: a header row, a time, and rates in somebody's units.
#include "profile/csv_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "profile/library.h"
#include "profile/trace.h"

namespace fogline {
namespace {

using testing::AllOf;
using testing::HasSubstr;

double MeanOf(const std::string& text) {
  const auto trace = Trace::Parse(text, "t.csv");
  EXPECT_TRUE(trace) << trace.error().ToString() << "\n" << text;
  return trace ? trace->MeanRate().value() : 0;
}

std::string ErrorOf(const std::string& text, const TraceColumns& columns = {}) {
  const auto trace = Trace::Parse(text, "t.csv", columns);
  EXPECT_FALSE(trace) << text;
  return trace ? "" : trace.error().ToString();
}

TEST(CsvTrace, ReadsTheCommonForms) {
  // 4G and 5G recordings of University College Cork: kbit/s without saying so, '-' for unknown.
  const std::string cork =
      "Timestamp,Longitude,Latitude,Speed,Operatorname,CellID,NetworkMode,RSRP,DL_bitrate,"
      "UL_bitrate,State\n"
      "2018.01.18_16.31.51,-8.49,51.89,0,A,2,LTE,-95,9000,4000,D\n"
      "2018.01.18_16.31.52,-8.49,51.89,0,A,2,LTE,-,9000,-,D\n"
      "2018.01.18_16.31.53,-8.49,51.89,0,A,2,LTE,-95,9000,1000,D\n"
      "2018.01.18_16.31.55,-8.49,51.89,0,A,2,LTE,-95,9000,0,D\n";
  EXPECT_DOUBLE_EQ(MeanOf(cork), 2.5);
  EXPECT_THAT(Trace::Parse(cork, "t.csv")->taken(),
              AllOf(HasSubstr("'UL_bitrate' as kbit/s"), HasSubstr("'Timestamp'")));
  const std::pair<const char*, double> forms[] = {
      {"time,bandwidth\n0,3\n1,5\n2,9\n", 4},
      {"\xEF\xBB\xBFtime_ms;throughput_mbps\r\n0;3\r\n1000;5\r\n2000;9\r\n", 4},
      {"# by somebody\n\nseconds\tUpload (kbit/s)\tDownload (kbit/s)\n0\t3000\t1\n2\t0\t1\n", 3},
      {"\"time\",\"uplink, Mbps\"\n\"0\",\"3\"\n\"1\",\"3\"\n", 3},
      {"elapsed bitrate_bps\n0   2000000\n1   4000000\n2 0\n", 3},
      {"ts_ms,timestamp,uploadMbps,downloadMbps\n7,1581686486000,2,9\n7,1581686487000,4,9\n"
       "7,1581686488000,4,9\n",
       3},
      {"datetime,tx_MB/s\n2019-12-31T23:59:59.500Z,1\n2020-01-01 00:00:00.5,2\n"
       "2020-01-01 00:00:01.5,2\n",
       12},
      {"time,ULbitrate kbps,DLbitrate kbps\n0,1000,7\n1,1000,7\n", 1},
  };
  for (const auto& [text, mbps] : forms) EXPECT_NEAR(MeanOf(text), mbps, 1e-9) << text;
}

TEST(CsvTrace, RefusesWhatCouldBeTwoThings) {
  EXPECT_THAT(ErrorOf("time,ul_mbps,upload_kbps\n0,1,1\n"),
              AllOf(HasSubstr("ul_mbps, upload_kbps"), HasSubstr("column=")));
  EXPECT_THAT(ErrorOf("time,Throughput,bandwidth\n0,1,1\n"), HasSubstr("Throughput, bandwidth"));
  EXPECT_THAT(ErrorOf("time,DL_bitrate\n0,1\n"),
              AllOf(HasSubstr("download rates only"), HasSubstr("column=DL_bitrate")));
  EXPECT_THAT(ErrorOf("time,rsrp,Speed\n0,1,1\n"), HasSubstr("its columns are time, rsrp, Speed"));
  EXPECT_THAT(ErrorOf("run,Throughput\n0,1\n"), HasSubstr("no column of times"));
  EXPECT_THAT(ErrorOf("time,bitrate\n0,1\n"), HasSubstr("unit=kbps"));
  EXPECT_THAT(ErrorOf("time,bandwidth\n5,1\n3,1\n"), HasSubstr("line 3 goes back in time"));
  EXPECT_THAT(ErrorOf("time,bandwidth\n0,x\n"), HasSubstr("line 2: 'x' is no rate"));
  EXPECT_THAT(ErrorOf("time,bandwidth\n0,-1\n"), HasSubstr("'-1' is no rate"));
  EXPECT_THAT(ErrorOf("time,bandwidth\nnoon,1\n"), HasSubstr("'noon' is no time"));
  EXPECT_THAT(ErrorOf("time,bandwidth\n0\n"), HasSubstr("line 2 has 1 columns"));
  EXPECT_THAT(ErrorOf("time,bandwidth\n0,0\n9,0\n"), HasSubstr("never sends"));
  EXPECT_THAT(ErrorOf("time,bandwidth\n0,1e300\n9,1\n"), HasSubstr("no rate"));
}

TEST(CsvTrace, TakesTheColumnThatIsAskedFor) {
  const std::string text = "time,DL_bitrate,bitrate\n0,2000,8\n1,2000,8\n";
  EXPECT_DOUBLE_EQ(Trace::Parse(text, "t", {"DL_bitrate", ""})->MeanRate().value(), 2);
  EXPECT_DOUBLE_EQ(Trace::Parse(text, "t", {"bitrate", "Mbps"})->MeanRate().value(), 8);
  EXPECT_THAT(ErrorOf(text, {"bitrat", ""}),
              HasSubstr("its columns are time, DL_bitrate, bitrate"));
  EXPECT_THAT(ErrorOf(text, {"bitrate", "knots"}), HasSubstr("unit=knots"));
  EXPECT_THAT(ErrorOf("0 1\n1 1\n", {"bitrate", ""}), HasSubstr("no header row"));
}

// A recording says nothing of the round trip: whoever plans may, and else it is said.
TEST(FindLink, TakesARecordingWithWhatIsKnownBeside) {
  const TempDir dir;
  const std::string path = (dir.path() / "up, 4G.csv").string();
  ASSERT_TRUE(WriteFile(path, "time,UL_bitrate,bitrate\n0,4000,1\n1,2000,1\n2,0,1\n"));
  const auto plain = FindLink(path, "--link");
  ASSERT_TRUE(plain) << plain.error().ToString();
  EXPECT_FALSE(plain->rtt_known);
  EXPECT_DOUBLE_EQ(plain->up.value(), 3);
  EXPECT_THAT(plain->source, HasSubstr("'UL_bitrate' as kbit/s"));
  const auto told = FindLink(path + ",rtt=40ms,down=30Mbps,price=2", "--link");
  ASSERT_TRUE(told) << told.error().ToString();
  EXPECT_TRUE(told->rtt_known);
  EXPECT_EQ(told->rtt, Milliseconds(40));
  EXPECT_EQ(told->down, MegabitsPerSecond(30));
  EXPECT_TRUE(told->trace);
  const auto other = FindLink(path + ",rtt=0,column=bitrate,unit=Mbps", "--link");
  ASSERT_TRUE(other) << other.error().ToString();
  EXPECT_TRUE(other->rtt_known);
  EXPECT_DOUBLE_EQ(other->up.value(), 1);
  EXPECT_THAT(FindLink(path + ",up=3", "--link").error().ToString(), HasSubstr("the recording"));
  EXPECT_THAT(FindLink(path + ",rt=3", "--link").error().ToString(), HasSubstr("did you mean"));
  EXPECT_FALSE(FindLink("up=8Mbps", "--link")->rtt_known);
  EXPECT_TRUE(FindLink("4g", "--link")->rtt_known);
  EXPECT_FALSE(FindLink(std::string(5000, 'x') + "/,rtt=3", "--link"));
}

// The most that p95 allows, and p95 itself, are each other's inverse.
TEST(Trace, TheMostWithinATimeTakesThatTime) {
  std::string text = "time,bandwidth\n";
  for (int i = 0; i < 300; ++i) text += fmt::format("{},{}\n", i, (i * 31) % 17);
  const auto trace = Trace::Parse(text, "t");
  ASSERT_TRUE(trace);
  for (const double ms : {5.0, 80.0, 900.0, 4000.0, 70000.0}) {
    const Bytes most = trace->MostWithin(Milliseconds(ms));
    EXPECT_LE(trace->TransferTimes(most * (1 - 1e-9)).p95, ms * (1 + 1e-9)) << ms;
    EXPECT_GT(trace->TransferTimes(most * (1 + 1e-6) + Bytes(1e-3)).p95, ms) << ms;
  }
  EXPECT_EQ(trace->MostWithin(Milliseconds(-1)), Bytes(0));
}

}  // namespace
}  // namespace fogline
